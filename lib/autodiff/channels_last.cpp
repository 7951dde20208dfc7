#include "lib/autodiff/channels_last.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "lib/ops/op.h"

namespace limbeck {
namespace {

constexpr std::array<std::string_view, 17> kUnary = {
    "Celu", "Clip", "Elu",  "Erf",  "Exp",     "Gelu",     "HardSigmoid", "HardSwish", "LeakyRelu",
    "Mish", "Neg",  "Relu", "Selu", "Sigmoid", "Softplus", "Sqrt",        "Tanh"};
constexpr std::array<std::string_view, 4> kBinary = {"Add", "Mul", "Sub", "Sum"};

template <size_t N>
bool is_one_of(const std::array<std::string_view, N>& names, const Node& node) {
  return std::find(names.begin(), names.end(), node.op_type()) != names.end();
}

bool is_image(const Value* value) {
  return value != nullptr && value->type == DataType::kFloat && value->shape &&
         value->shape->size() == 4;
}

/// Equal, with symbols for unknown dimensions.
bool alike(const Value* a, const Value* b) {
  const auto same = [](const Dim& x, const Dim& y) {
    return x == y && (x.known() || !x.symbol.empty());
  };
  return is_image(a) && is_image(b) &&
         std::equal(a->shape->begin(), a->shape->end(), b->shape->begin(), same);
}

bool is_conv(const Node& node) {
  return node.op_type() == "Conv" && is_image(node.input(0)) && is_image(node.input(1));
}

}  // namespace

bool is_channels_last_input(const Node& node, size_t index) {
  return index == 0 || is_one_of(kBinary, node);
}

std::unordered_set<const Node*> channels_last_nodes(
    const Model& model, const std::unordered_map<const Node*, FakeQuantize>& fake_quantize,
    const std::unordered_set<const Value*>& row_major, bool batch_norm) {
  std::unordered_set<const Node*> chosen;
  const auto follows = [&](const Value* value) {
    return value != nullptr && chosen.contains(value->producer());
  };
  for (const auto& node : model.graph.nodes()) {
    if (!node->domain().empty() || row_major.contains(node->output(0))) continue;
    const auto& inputs = node->inputs();
    const bool any = std::any_of(inputs.begin(), inputs.end(), follows);
    const bool function =
        (is_one_of(kUnary, *node) || (batch_norm && node->op_type() == "BatchNormalization")) &&
        is_image(node->input(0)) && follows(node->input(0));
    const bool sum = is_one_of(kBinary, *node) && any &&
                     std::all_of(inputs.begin(), inputs.end(),
                                 [&](const Value* input) { return alike(input, inputs[0]); });
    const auto pair = fake_quantize.find(node.get());
    const bool rounds = pair != fake_quantize.end() && pair->second.per_tensor &&
                        is_image(pair->second.x()) && follows(pair->second.x());
    if (is_conv(*node) || function || sum || rounds) chosen.insert(node.get());
  }
  return chosen;
}

}  // namespace limbeck
