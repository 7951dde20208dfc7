// Random numbers without a state: a pure function of a seed and a counter.
#pragma once

#include <array>
#include <cstdint>

namespace limbeck {

/// Philox4x32-10: J. Salmon, M. Moraes, R. Dror, D. Shaw, "Parallel Random Numbers: As Easy as 1,
/// 2, 3", SC 2011, section 4.3. Four independent, uniform 32-bit words for each counter and key;
/// ten rounds. The same words on every machine, in any order, on any number of threads.
using PhiloxCounter = std::array<uint32_t, 4>;
using PhiloxKey = std::array<uint32_t, 2>;
PhiloxCounter philox(PhiloxCounter counter, PhiloxKey key);

/// A stream of draws that belongs to one purpose: the key is the seed; the counter holds the
/// purpose, an epoch, an index (of a sample, of a weight) and the number of the draw. Streams that
/// differ in any of them are independent.
class RandomStream {
 public:
  RandomStream(uint64_t seed, uint32_t purpose, uint32_t epoch, uint64_t index);

  /// Uniform in [0, 1), a multiple of 2^-53.
  double uniform();
  /// Uniform in [low, high).
  double uniform(double low, double high) { return low + (high - low) * uniform(); }
  /// Uniform in [0, bound); bound is at least 1 and below 2^40 (bias under bound * 2^-53).
  int64_t below(int64_t bound);

 private:
  PhiloxKey key_;
  uint32_t purpose_;
  uint32_t epoch_;
  uint64_t index_;
  uint32_t draw_ = 0;
};

}  // namespace limbeck
