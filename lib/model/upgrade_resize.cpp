// Upsample, Resize and the other operators that read between pixels.
#include <algorithm>

#include "lib/model/upgrade_rules.h"

namespace limbeck {
namespace {

bool is_empty_constant(const Value* value) {
  return value != nullptr && value->constant() != nullptr && value->constant()->count() == 0;
}

/// The opset-10 definition (its test vectors, and runtimes) reads the pixel above when it shrinks
/// and below when it grows.
std::string nearest_mode_of(const Node& node) {
  const Value* scales = node.input(1);
  if (scales == nullptr || scales->constant() == nullptr) {
    throw_no_upgrade(node, "the scales of a nearest Resize must be constant",
                     "scales computed at run time", "export the model with opset 11 or later");
  }
  const std::vector<float> values = scales->constant()->to_float();
  const bool shrinks =
      std::any_of(values.begin(), values.end(), [](float scale) { return scale < 1.0F; });
  const bool grows =
      std::any_of(values.begin(), values.end(), [](float scale) { return scale > 1.0F; });
  if (!shrinks) return "floor";
  if (!grows) return "ceil";
  throw_no_upgrade(node, "a nearest Resize must grow or shrink, not both",
                   "scales below and above one", "export the model with opset 11 or later");
}

}  // namespace

void upgrade_upsample_9(Graph& graph, Node* node) {
  const std::vector<float> scales = node->floats_attribute("scales", {});
  add_constant_input(graph, node, 1, "scales",
                     Tensor::from<float>({static_cast<int64_t>(scales.size())}, scales));
  node->remove_attribute("scales");
}

void upgrade_upsample_10(Graph& /*graph*/, Node* node) { node->set_op_type("Resize"); }

void upgrade_resize_11(Graph& graph, Node* node) {
  if (node->string_attribute("mode", "nearest") == "nearest")
    node->set_attribute("nearest_mode", nearest_mode_of(*node));
  graph.set_input(node, 2, node->input(1));
  add_constant_input(graph, node, 1, "roi", Tensor::zeros(DataType::kFloat, {0}));
  node->set_attribute("coordinate_transformation_mode", std::string("asymmetric"));
}

void upgrade_resize_13(Graph& graph, Node* node) {
  const std::string mode = node->string_attribute("coordinate_transformation_mode", "half_pixel");
  if (mode == "tf_half_pixel_for_nn") {
    throw_no_upgrade(*node, "the coordinate mode must exist in opset 13", mode,
                     "export the model with opset 13 or later");
  }
  // Opset 11 wanted empty tensors where opset 13 wants inputs left out.
  if (mode != "tf_crop_and_resize" && is_empty_constant(node->input(1)))
    graph.set_input(node, 1, nullptr);
  if (node->input(3) != nullptr && is_empty_constant(node->input(2)))
    graph.set_input(node, 2, nullptr);
}

void upgrade_roi_align_16(Graph& /*graph*/, Node* node) {
  if (node->has_attribute("coordinate_transformation_mode")) return;
  node->set_attribute("coordinate_transformation_mode", std::string("output_half_pixel"));
}

void upgrade_grid_sample_20(Graph& /*graph*/, Node* node) {
  const std::string mode = node->string_attribute("mode", "bilinear");
  if (mode == "bilinear") node->set_attribute("mode", std::string("linear"));
  if (mode == "bicubic") node->set_attribute("mode", std::string("cubic"));
}

}  // namespace limbeck
