// Shapes for tests that walk many of them.
#pragma once

#include <cstdint>
#include <random>

namespace limbeck::test {

/// Whole numbers that are the same everywhere, which those of the standard's distributions are not.
class RandomIntegers {
 public:
  explicit RandomIntegers(unsigned seed) : generator_(seed) {}
  /// From low to high, both included.
  int64_t operator()(int64_t low, int64_t high) {
    return low + static_cast<int64_t>(generator_()) % (high - low + 1);
  }

 private:
  std::mt19937 generator_;
};

/// Channels of a convolution, in and out in each group.
struct RandomChannels {
  int64_t group = 1;
  int64_t in = 1;
  int64_t out = 1;
};

/// A quarter depthwise, a quarter of the others in groups.
inline RandomChannels random_channels(RandomIntegers& from_to) {
  if (from_to(1, 4) == 1) return {from_to(2, 40), 1, 1};
  const int64_t group = from_to(1, 4) == 1 ? from_to(2, 4) : 1;
  return {group, from_to(1, 40), from_to(1, 40)};
}

}  // namespace limbeck::test
