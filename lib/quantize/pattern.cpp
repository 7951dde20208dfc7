#include "lib/quantize/pattern.h"

#include <cmath>
#include <limits>
#include <vector>

namespace limbeck {
namespace {

constexpr float kLargestConstant = 1e4F;

/// Bound of a Clip: input `index` from opset 11, attribute before.
float clip_bound(const Node& clip, size_t index, const char* attribute, float fallback) {
  const Value* input = clip.input(index);
  if (input == nullptr) return clip.float_attribute(attribute, fallback);
  if (input->constant() == nullptr) return std::numeric_limits<float>::quiet_NaN();
  const std::vector<float> values = input->constant()->to_float();
  return values.size() == 1 ? values[0] : std::numeric_limits<float>::quiet_NaN();
}

}  // namespace

QuantRole role_of(const Model& model, const Node& node) {
  const OpRow* row = find_op(node.domain(), node.op_type(), model.opset(node.domain()));
  return row == nullptr ? QuantRole::kNone : row->role;
}

bool is_float(const Value* value) { return value != nullptr && value->type == DataType::kFloat; }

float upper_bound(const Node& activation) {
  constexpr float kNone = std::numeric_limits<float>::infinity();
  return activation.op_type() == "Clip" ? clip_bound(activation, 2, "max", kNone) : kNone;
}

bool is_absorbed(const Node& activation) {
  if (!activation.domain().empty()) return false;
  const bool relu = activation.op_type() == "Relu";
  const bool clip = activation.op_type() == "Clip" &&
                    clip_bound(activation, 1, "min", -1.0F) == 0.0F &&
                    upper_bound(activation) > 0.0F;
  if (!relu && !clip) return false;
  const Value* input = activation.input(0);
  return input != nullptr && input->producer() != nullptr && input->uses().size() == 1 &&
         !input->is_graph_output() && !input->captured_by_subgraph();
}

const Value* quantized_output(const Value& value) {
  if (value.uses().size() == 1 && is_absorbed(*value.uses()[0].node))
    return value.uses()[0].node->output(0);
  return &value;
}

Value* quantized_output(Value& value) {
  if (value.uses().size() == 1 && is_absorbed(*value.uses()[0].node))
    return value.uses()[0].node->output(0);
  return &value;
}

int64_t weight_axis(const Node& node) {
  const Value* weights = node.input(1);
  if (weights == nullptr || !weights->shape) return -1;
  const auto rank = static_cast<int64_t>(weights->shape->size());
  if (node.op_type() == "Conv") return rank >= 3 ? 0 : -1;
  if (node.op_type() == "ConvTranspose") return rank >= 3 ? 1 : -1;
  if (node.op_type() == "Gemm") return node.int_attribute("transB", 0) != 0 ? 0 : 1;
  return rank >= 2 ? rank - 1 : -1;
}

bool constant_is_quantizable(const Value& value) {
  if (!is_float(&value)) return true;
  for (const float item : value.constant()->as<float>()) {
    if (!(std::fabs(item) < kLargestConstant)) return false;
  }
  return true;
}

}  // namespace limbeck
