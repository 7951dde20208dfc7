#include "lib/ops/resize_axis.h"

#include <algorithm>
#include <cmath>

namespace limbeck {
namespace {

// Coordinates are computed in float, as in the runtimes that models are exported for: 1 / 0.2F is
// 5 there, while in double it lies below 5, and floor would read the pixel before.

float crop_coordinate(const ResizeAxis& axis, float x) {
  const float last = static_cast<float>(axis.input - 1);
  const float extent = (axis.roi_end - axis.roi_begin) * last;
  const float begin = axis.roi_begin * last;
  return axis.length > 1.0F ? begin + x * extent / (axis.length - 1.0F)
                            : 0.5F * (axis.roi_begin + axis.roi_end) * last;
}

/// Position in the input of output pixel `index`.
float coordinate(ResizeCoordinates mode, const ResizeAxis& axis, int64_t index) {
  const float x = static_cast<float>(index);
  const float half = (x + 0.5F) / axis.scale - 0.5F;
  const float size = static_cast<float>(axis.input);
  switch (mode) {
    case ResizeCoordinates::kHalfPixel: return half;
    case ResizeCoordinates::kPytorchHalfPixel: return axis.length > 1.0F ? half : 0.0F;
    case ResizeCoordinates::kAsymmetric: return x / axis.scale;
    case ResizeCoordinates::kTfHalfPixelForNn: return (x + 0.5F) / axis.scale;
    case ResizeCoordinates::kTfCropAndResize: return crop_coordinate(axis, x);
    case ResizeCoordinates::kAlignCorners:
      return axis.length > 1.0F ? x * (size - 1.0F) / (axis.length - 1.0F) : 0.0F;
    case ResizeCoordinates::kHalfPixelSymmetric:
      return size / 2.0F * (1.0F - static_cast<float>(axis.output) / axis.length) + half;
  }
  return half;
}

bool is_outside(const ResizeAttributes& attributes, const ResizeAxis& axis, float x) {
  return attributes.coordinates == ResizeCoordinates::kTfCropAndResize &&
         !(x >= 0.0F && x <= static_cast<float>(axis.input - 1));
}

float round_nearest(ResizeNearest mode, float x, bool shrinks) {
  const float below = std::floor(x);
  const float fraction = x - below;
  switch (mode) {
    case ResizeNearest::kRoundPreferFloor: return fraction > 0.5F ? below + 1.0F : below;
    case ResizeNearest::kRoundPreferCeil: return fraction >= 0.5F ? below + 1.0F : below;
    case ResizeNearest::kFloor: return below;
    case ResizeNearest::kCeil: return std::ceil(x);
    case ResizeNearest::kLegacy: return shrinks ? std::ceil(x) : below;
  }
  return below;
}

float linear_weight(float distance) { return std::max(0.0F, 1.0F - std::abs(distance)); }

/// Cubic convolution (Keys) with parameter a.
float cubic_weight(float distance, float a) {
  const float d = std::abs(distance);
  if (d <= 1.0F) return ((a + 2.0F) * d - (a + 3.0F)) * d * d + 1.0F;
  return d < 2.0F ? ((a * d - 5.0F * a) * d + 8.0F * a) * d - 4.0F * a : 0.0F;
}

/// Weights around position x. Pixels beyond the border repeat the border, or do not count.
void add_taps(const ResizeAttributes& attributes, const ResizeAxis& axis, float x,
              ResizeTaps& result) {
  const bool linear = attributes.mode == ResizeMode::kLinear;
  const float shrink = attributes.antialias ? std::min(axis.scale, 1.0F) : 1.0F;
  const float reach = (linear ? 1.0F : 2.0F) / shrink;
  const size_t first = result.taps.size();
  float sum = 0.0F;
  const auto end = static_cast<int64_t>(std::ceil(x + reach));
  for (auto i = static_cast<int64_t>(std::floor(x - reach)) + 1; i < end; ++i) {
    const int64_t source = std::clamp<int64_t>(i, 0, axis.input - 1);
    const float distance = (static_cast<float>(i) - x) * shrink;
    const float weight =
        linear ? linear_weight(distance) : cubic_weight(distance, attributes.cubic_a);
    if (weight == 0.0F || (source != i && attributes.exclude_outside)) continue;
    sum += weight;
    if (result.taps.size() > first && result.taps.back().source == source)
      result.taps.back().weight += weight;
    else
      result.taps.push_back({source, weight});
  }
  if (!attributes.antialias && !attributes.exclude_outside) return;  // they sum to one
  for (size_t i = first; i < result.taps.size(); ++i) result.taps[i].weight /= sum;
}

}  // namespace

bool ResizeTaps::identity(int64_t input) const {
  if (taps.size() != at(input) || starts.size() != taps.size() + 1) return false;
  for (size_t i = 0; i < taps.size(); ++i) {
    if (starts[i] != i || at(taps[i].source) != i || taps[i].weight != 1.0F) return false;
  }
  return true;
}

std::vector<int64_t> nearest_table(const ResizeAttributes& attributes, const ResizeAxis& axis) {
  std::vector<int64_t> table;
  for (int64_t i = 0; i < axis.output; ++i) {
    const float x = coordinate(attributes.coordinates, axis, i);
    const float pixel = round_nearest(attributes.nearest, x, axis.scale < 1.0F);
    const float last = static_cast<float>(axis.input - 1);
    table.push_back(
        is_outside(attributes, axis, x) ? -1 : static_cast<int64_t>(std::clamp(pixel, 0.0F, last)));
  }
  return table;
}

ResizeTaps resize_taps(const ResizeAttributes& attributes, const ResizeAxis& axis) {
  ResizeTaps result;
  for (int64_t i = 0; i < axis.output; ++i) {
    const float x = coordinate(attributes.coordinates, axis, i);
    if (!is_outside(attributes, axis, x)) add_taps(attributes, axis, x, result);
    result.starts.push_back(result.taps.size());
  }
  return result;
}

}  // namespace limbeck
