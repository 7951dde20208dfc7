// What a Resize or Upsample node says.
#include <array>

#include "lib/ops/resize_core.h"

namespace limbeck {
namespace {

template <typename E, size_t N>
E choose(const Node& node, const char* attribute, const char* fallback,
         const std::array<std::pair<const char*, E>, N>& choices) {
  const std::string text = node.string_attribute(attribute, fallback);
  for (const auto& [name, value] : choices) {
    if (text == name) return value;
  }
  fail_unsupported(node.place(), std::string(attribute) + " must be one that ONNX defines", text);
}

constexpr std::array<std::pair<const char*, ResizeMode>, 4> kModes = {
    {{"nearest", ResizeMode::kNearest},
     {"linear", ResizeMode::kLinear},
     {"bilinear", ResizeMode::kLinear},  // an early name that exporters wrote
     {"cubic", ResizeMode::kCubic}}};
constexpr std::array<std::pair<const char*, ResizeCoordinates>, 7> kCoordinates = {
    {{"half_pixel", ResizeCoordinates::kHalfPixel},
     {"half_pixel_symmetric", ResizeCoordinates::kHalfPixelSymmetric},
     {"pytorch_half_pixel", ResizeCoordinates::kPytorchHalfPixel},
     {"align_corners", ResizeCoordinates::kAlignCorners},
     {"asymmetric", ResizeCoordinates::kAsymmetric},
     {"tf_half_pixel_for_nn", ResizeCoordinates::kTfHalfPixelForNn},
     {"tf_crop_and_resize", ResizeCoordinates::kTfCropAndResize}}};
constexpr std::array<std::pair<const char*, ResizeNearest>, 4> kNearest = {
    {{"round_prefer_floor", ResizeNearest::kRoundPreferFloor},
     {"round_prefer_ceil", ResizeNearest::kRoundPreferCeil},
     {"floor", ResizeNearest::kFloor},
     {"ceil", ResizeNearest::kCeil}}};
constexpr std::array<std::pair<const char*, ResizePolicy>, 3> kPolicies = {
    {{"stretch", ResizePolicy::kStretch},
     {"not_larger", ResizePolicy::kNotLarger},
     {"not_smaller", ResizePolicy::kNotSmaller}}};

}  // namespace

ResizeAttributes read_resize_attributes(const Node& node, int64_t opset) {
  ResizeAttributes result;
  result.mode = choose(node, "mode", "nearest", kModes);
  if (opset < 11) {
    result.coordinates = ResizeCoordinates::kAsymmetric;
    result.nearest = ResizeNearest::kLegacy;
    return result;
  }
  result.coordinates = choose(node, "coordinate_transformation_mode", "half_pixel", kCoordinates);
  result.nearest = choose(node, "nearest_mode", "round_prefer_floor", kNearest);
  result.policy = choose(node, "keep_aspect_ratio_policy", "stretch", kPolicies);
  result.cubic_a = node.float_attribute("cubic_coeff_a", -0.75F);
  result.extrapolation = node.float_attribute("extrapolation_value", 0.0F);
  result.exclude_outside = node.int_attribute("exclude_outside", 0) != 0;
  result.antialias = node.int_attribute("antialias", 0) != 0;
  if (node.has_attribute("axes")) result.axes = node.ints_attribute("axes", {});
  return result;
}

ResizeSlots read_resize_slots(const Node& node, int64_t opset) {
  constexpr size_t kNone = 99;
  if (node.op_type() == "Upsample" && opset < 9)
    return {kNone, kNone, kNone, node.floats_attribute("scales", {})};
  if (opset < 11) return {kNone, 1, kNone, {}};
  return {1, 2, 3, {}};
}

}  // namespace limbeck
