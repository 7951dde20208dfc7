// The two loops over every activation that calibration spends its time in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace limbeck {

/// Smallest and largest value; `finite` is false when a value is NaN or infinite, and the others
/// then mean nothing. Zeros of both signs count as +0.
struct Extremes {
  float low = 0;
  float high = 0;
  bool finite = true;
};

/// `values` is not empty.
Extremes find_extremes(std::span<const float> values);

/// numbers[i] = floor(values[i] / 2^exponent) + offset, exactly, also where the quotient is too
/// small for a float. Quotients must fit into int32; exponent lies in [-126, 126].
void number_bins(std::span<const float> values, int exponent, int32_t offset, int32_t* numbers);

}  // namespace limbeck
