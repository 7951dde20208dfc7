// Where the outputs of Resize lie in its input, axis by axis. Internal to lib/ops.
#pragma once

#include "lib/ops/common.h"

namespace limbeck {

enum class ResizeMode { kNearest, kLinear, kCubic };
enum class ResizeCoordinates {
  kHalfPixel,
  kHalfPixelSymmetric,
  kPytorchHalfPixel,
  kAlignCorners,
  kAsymmetric,
  kTfHalfPixelForNn,
  kTfCropAndResize,
};
enum class ResizeNearest {
  kRoundPreferFloor,
  kRoundPreferCeil,
  kFloor,
  kCeil,
  kLegacy,  ///< before opset 11: floor where the axis grows, ceil where it shrinks
};
enum class ResizePolicy { kStretch, kNotLarger, kNotSmaller };

/// The attributes of Resize and Upsample.
struct ResizeAttributes {
  ResizeMode mode = ResizeMode::kNearest;
  ResizeCoordinates coordinates = ResizeCoordinates::kHalfPixel;
  ResizeNearest nearest = ResizeNearest::kRoundPreferFloor;
  ResizePolicy policy = ResizePolicy::kStretch;
  float cubic_a = -0.75F;
  float extrapolation = 0.0F;
  bool exclude_outside = false;
  bool antialias = false;
  std::optional<std::vector<int64_t>> axes;
};

/// One axis, everything resolved.
struct ResizeAxis {
  int64_t input = 0;
  int64_t output = 0;
  float scale = 1.0F;
  float length = 0.0F;  ///< input * scale: the output before it was cut to whole pixels
  float roi_begin = 0.0F;
  float roi_end = 1.0F;
};
using ResizeAxes = std::vector<ResizeAxis>;

/// Input pixels and weights of each output pixel; none means "outside: the extrapolation value".
struct ResizeTaps {
  struct Tap {
    int64_t source;
    float weight;
  };
  std::vector<Tap> taps;
  std::vector<size_t> starts{0};  ///< taps of output i: [starts[i], starts[i + 1])
  /// The axis stays as it is.
  bool identity(int64_t input) const;
};

/// Source of every output pixel in nearest mode; -1 means outside.
std::vector<int64_t> nearest_table(const ResizeAttributes& attributes, const ResizeAxis& axis);
/// Linear and cubic modes.
ResizeTaps resize_taps(const ResizeAttributes& attributes, const ResizeAxis& axis);

}  // namespace limbeck
