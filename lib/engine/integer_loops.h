// The inner loops of the 8-bit kernels, compiled for several instruction sets and chosen at run
// time (Highway).
#pragma once

#include <cstdint>

namespace limbeck {

/// real = (stored - zero) * scale. A scale is a step.
struct QuantParams {
  float scale = 1;
  int32_t zero = 0;
  bool is_signed = false;
  bool operator==(const QuantParams&) const = default;
};

/// 8-bit values of either sign are passed as uint8_t; QuantParams tells how to read them.
/// saturate(round_half_even(x / scale) + zero)
void quantize_values(const float* source, uint8_t* target, int64_t count,
                     const QuantParams& params);
void dequantize_values(const uint8_t* source, float* target, int64_t count,
                       const QuantParams& params);

/// What happens between the dequantized operands and the quantized result.
struct QuantizedBinary {
  QuantParams left;
  QuantParams right;
  QuantParams result;
  bool multiply = false;  ///< otherwise add
  float low = 0;          ///< clamp of the real result
  float high = 0;
};
/// Element by element, in the same order of float operations as the dequantized graph, so results
/// are equal to it.
void binary_values(const uint8_t* left, const uint8_t* right, uint8_t* target, int64_t count,
                   const QuantizedBinary& op);
/// The same with one right-hand value for all.
void binary_value(const uint8_t* left, uint8_t right, uint8_t* target, int64_t count,
                  const QuantizedBinary& op);

/// sums[c] += stored value, for every row of `channels` values.
void sum_rows(const uint8_t* source, int32_t* sums, int64_t rows, int64_t channels, bool is_signed);

}  // namespace limbeck
