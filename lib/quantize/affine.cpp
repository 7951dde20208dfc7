#include "lib/quantize/affine.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <tuple>
#include <utility>

#include "lib/base/error.h"

namespace limbeck {
namespace {

/// Position of the channel axis: element index = (outer * channels + channel) * inner + i.
struct ChannelLayout {
  int64_t outer = 1;
  int64_t channels = 1;
  int64_t inner = 1;
};

ChannelLayout channel_layout(const Dims& dims, int64_t axis) {
  if (axis < 0 || axis >= static_cast<int64_t>(dims.size())) {
    throw_error(Category::kInternal, "per-channel axis",
                "the axis must lie inside " + dims_text(dims), std::to_string(axis),
                "report this bug");
  }
  ChannelLayout layout;
  for (size_t i = 0; i < dims.size(); ++i) {
    const auto position = static_cast<int64_t>(i);
    if (position < axis) layout.outer *= dims[i];
    if (position == axis) layout.channels = dims[i];
    if (position > axis) layout.inner *= dims[i];
  }
  return layout;
}

std::vector<float> channel_values(std::span<const float> values, const ChannelLayout& layout,
                                  int64_t channel) {
  std::vector<float> result;
  result.reserve(static_cast<size_t>(layout.outer * layout.inner));
  for (int64_t o = 0; o < layout.outer; ++o) {
    const auto* start = values.data() + (o * layout.channels + channel) * layout.inner;
    result.insert(result.end(), start, start + layout.inner);
  }
  return result;
}

struct StepFit {
  double error = 0;
  double refined = 0;  ///< least-squares step for the codes that `step` gives
};

StepFit fit_step(const std::vector<float>& values, double step, double limit) {
  double error = 0;
  double cross = 0;
  double power = 0;
  for (const float value : values) {
    const double code = std::clamp(std::nearbyint(value / step), -limit, limit);
    const double difference = value - code * step;
    error += difference * difference;
    cross += value * code;
    power += code * code;
  }
  return {error, power > 0 ? cross / power : step};
}

float best_step(const std::vector<float>& values, float widest, int32_t limit) {
  constexpr int kSteps = 80;
  // Three levels stand for a whole distribution: its tails lie far outside of the best step.
  const double narrowest = limit == 1 ? 0.1 : 0.5;
  double best = widest;
  double least = fit_step(values, widest, limit).error;
  for (int i = 0; i <= kSteps; ++i) {
    const double candidate = widest * (1.0 - (1.0 - narrowest) * i / kSteps);
    const StepFit coarse = fit_step(values, candidate, limit);
    const double refined = fit_step(values, coarse.refined, limit).error;
    if (coarse.error < least) std::tie(least, best) = std::pair(coarse.error, candidate);
    if (refined < least) std::tie(least, best) = std::pair(refined, coarse.refined);
  }
  return static_cast<float>(best);
}

}  // namespace

IntegerRange integer_range(DataType type) {
  switch (type) {
    case DataType::kInt8: return {-128, 127};
    case DataType::kUint8: return {0, 255};
    case DataType::kInt16: return {-32768, 32767};
    case DataType::kUint16: return {0, 65535};
    case DataType::kInt4: return {-8, 7};
    case DataType::kUint4: return {0, 15};
    default:
      throw_error(Category::kUsage, "quantized type",
                  "one of int8, uint8, int16, uint16, int4, uint4 is needed", data_type_name(type),
                  "choose one of these in the plan");
  }
}

AffineParams params_for_range(float low, float high, DataType type, bool symmetric) {
  if (!std::isfinite(low) || !std::isfinite(high) || low > high) {
    throw_error(Category::kData, "activation range", "a range must be finite with min at most max",
                "[" + std::to_string(low) + ", " + std::to_string(high) + "]",
                "calibrate again on valid data");
  }
  const IntegerRange range = integer_range(type);
  low = std::min(low, 0.0F);
  high = std::max(high, 0.0F);
  const int32_t codes = range.highest - range.lowest;
  AffineParams params;
  if (symmetric) {
    const float magnitude = std::max(-low, high);
    const int32_t limit = codes / 2;
    params.zero_point = range.lowest < 0 ? 0 : limit + 1;
    params.scale = magnitude / static_cast<float>(limit);
  } else {
    params.scale = (high - low) / static_cast<float>(codes);
  }
  if (!(params.scale >= 1e-30F)) return {1.0F, symmetric ? params.zero_point : range.lowest};
  if (!symmetric) {
    const float exact = static_cast<float>(range.lowest) - low / params.scale;
    params.zero_point =
        std::clamp(static_cast<int32_t>(std::nearbyint(exact)), range.lowest, range.highest);
  }
  return params;
}

int32_t quantize_value(float value, const AffineParams& params, const IntegerRange& range) {
  const float code = std::nearbyint(value / params.scale) + static_cast<float>(params.zero_point);
  if (std::isnan(code)) return params.zero_point;
  if (code <= static_cast<float>(range.lowest)) return range.lowest;
  if (code >= static_cast<float>(range.highest)) return range.highest;
  return static_cast<int32_t>(code);
}

std::vector<float> channel_scales(const Tensor& weights, int64_t axis, int32_t limit,
                                  bool minimise_error) {
  const ChannelLayout layout = channel_layout(weights.dims(), axis);
  const auto values = weights.as<float>();
  std::vector<float> scales(static_cast<size_t>(layout.channels), 1.0F);
  for (int64_t channel = 0; channel < layout.channels; ++channel) {
    const std::vector<float> slice = channel_values(values, layout, channel);
    float magnitude = 0;
    for (const float value : slice) magnitude = std::max(magnitude, std::fabs(value));
    const float widest = magnitude / static_cast<float>(limit);
    if (!(widest >= 1e-30F)) continue;
    scales[static_cast<size_t>(channel)] =
        minimise_error ? best_step(slice, widest, limit) : widest;
  }
  return scales;
}

std::vector<int8_t> quantize_channels(const Tensor& weights, int64_t axis,
                                      const std::vector<float>& scales, int32_t limit) {
  const ChannelLayout layout = channel_layout(weights.dims(), axis);
  const auto values = weights.as<float>();
  std::vector<int8_t> codes(values.size());
  for (size_t i = 0; i < values.size(); ++i) {
    const auto channel = (static_cast<int64_t>(i) / layout.inner) % layout.channels;
    const AffineParams params{scales[static_cast<size_t>(channel)], 0};
    codes[i] = static_cast<int8_t>(quantize_value(values[i], params, {-limit, limit}));
  }
  return codes;
}

Tensor pack_codes(DataType type, Dims dims, std::span<const int8_t> codes) {
  Tensor tensor = Tensor::zeros(type, std::move(dims));
  if (bits_per_element(type) == 8) {
    std::memcpy(tensor.mutable_raw(), codes.data(), codes.size());
    return tensor;
  }
  for (size_t i = 0; i < codes.size(); ++i) {
    const auto nibble = static_cast<std::byte>(codes[i] & 0xF);
    tensor.mutable_raw()[i / 2] |= i % 2 == 0 ? nibble : nibble << 4;
  }
  return tensor;
}

}  // namespace limbeck
