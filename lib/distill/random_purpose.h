// What random numbers are drawn for: no two purposes share a stream.
#pragma once

#include <cstdint>

namespace limbeck {

/// Stored nowhere, but part of what a seed means: never renumber.
enum class RandomPurpose : uint32_t {
  kAdapter = 1,
  kFlip = 2,
  kCrop = 3,
  kCutout = 4,
  kBrightness = 5,
  kContrast = 6,
  kSaturation = 7,
  kMixup = 8,
  kShuffle = 9,
  kValidation = 10,
  kImportance = 32,
  kReinitialise = 33,
};

}  // namespace limbeck
