// Affine quantization, the one place that states the convention:
//   q = saturate(round_half_even(x / scale) + zero_point),   x' = (q - zero_point) * scale
// as ONNX QuantizeLinear and DequantizeLinear define it (opset 10 and later). A scale is a step
// size, finite and above zero; a zero point is the integer that stands for 0.0, which is always
// exactly representable.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "lib/model/tensor.h"

namespace limbeck {

/// Smallest and largest integer of a quantized type. Symmetric int8 weights use [-127, 127],
/// symmetric int4 [-7, 7]: the most negative code is left out so that the range is centred.
struct IntegerRange {
  int32_t lowest = 0;
  int32_t highest = 0;
};
/// Full range of an integer type of at most 16 bits; raises kUsage for other types.
IntegerRange integer_range(DataType type);

/// How one tensor (or one slice along the per-channel axis) is quantized.
struct AffineParams {
  float scale = 1.0F;
  int32_t zero_point = 0;
  bool operator==(const AffineParams&) const = default;
};

/// Parameters that cover [low, high], widened to hold zero, with all codes of `type`.
/// symmetric: zero_point is the middle of the type (0 for signed types) and the larger magnitude
/// decides the step. A range of zero width gives scale 1. Raises kData for a non-finite range.
AffineParams params_for_range(float low, float high, DataType type, bool symmetric);

/// One value; NaN becomes the zero point.
int32_t quantize_value(float value, const AffineParams& params, const IntegerRange& range);
inline float dequantize_value(int32_t code, const AffineParams& params) {
  return static_cast<float>(code - params.zero_point) * params.scale;
}

/// Per-channel symmetric step sizes of a weight tensor: `axis` is the channel axis; minmax covers
/// the largest magnitude of each channel with codes -limit..limit. The scale of an all-zero channel
/// is one. With `minimise_error` each step is shrunk to the one with the least squared rounding and
/// clipping error (a grid of clipping ratios followed by a least-squares refinement of the step).
std::vector<float> channel_scales(const Tensor& weights, int64_t axis, int32_t limit,
                                  bool minimise_error);

/// Symmetric per-channel codes (one int8 an element, also for 4-bit types), clipped to
/// -limit..limit.
std::vector<int8_t> quantize_channels(const Tensor& weights, int64_t axis,
                                      const std::vector<float>& scales, int32_t limit);

/// Tensor of `type` from one code an element: 4-bit types are packed two a byte, the first in the
/// low nibble.
Tensor pack_codes(DataType type, Dims dims, std::span<const int8_t> codes);

}  // namespace limbeck
