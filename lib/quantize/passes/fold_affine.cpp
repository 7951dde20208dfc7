#include <cmath>
#include <optional>

#include "lib/quantize/passes/channel_affine.h"
#include "lib/quantize/passes/passes.h"
#include "lib/quantize/passes/rewrite.h"

namespace limbeck {
namespace {

/// One number a channel, from a constant that broadcasts along every axis but the channel axis 1.
std::optional<std::vector<double>> per_channel(const Value* value, const FoldTarget& target) {
  if (value == nullptr || value->constant() == nullptr ||
      value->constant()->type() != DataType::kFloat) {
    return std::nullopt;
  }
  const Tensor& tensor = *value->constant();
  if (tensor.rank() > target.rank) return std::nullopt;
  const size_t missing = target.rank - tensor.rank();
  for (size_t axis = 0; axis < tensor.rank(); ++axis) {
    const bool fits =
        tensor.dim(axis) == 1 || (axis + missing == 1 && tensor.dim(axis) == target.channels);
    if (!fits) return std::nullopt;
  }
  const auto source = tensor.as<float>();
  std::vector<double> values(static_cast<size_t>(target.channels));
  for (size_t c = 0; c < values.size(); ++c) values[c] = source[source.size() == 1 ? 0 : c];
  return values;
}

/// y = x (op) values, or y = values (op) x when the constant stands first.
std::optional<ChannelAffine> affine_of(const Node& node, std::vector<double> values,
                                       bool constant_first) {
  const std::vector<double> ones(values.size(), 1.0);
  const std::vector<double> zeros(values.size(), 0.0);
  if (is_op(&node, "Add")) return ChannelAffine{ones, values};
  if (is_op(&node, "Mul")) return ChannelAffine{values, zeros};
  if (is_op(&node, "Sub")) {
    if (constant_first) return ChannelAffine{std::vector<double>(values.size(), -1.0), values};
    for (double& value : values) value = -value;
    return ChannelAffine{ones, values};
  }
  if (constant_first) return std::nullopt;
  for (double& value : values) {
    value = 1.0 / value;
    if (!std::isfinite(value)) return std::nullopt;
  }
  return ChannelAffine{values, zeros};
}

bool fold_one(Graph& graph, Node* node) {
  for (size_t data = 0; data < 2; ++data) {
    const auto target = fold_target(node->input(data));
    if (!target || !can_take_over(node->output(0), node->input(data))) continue;
    const auto values = per_channel(node->input(1 - data), *target);
    if (!values) continue;
    const auto affine = affine_of(*node, *values, data == 1);
    if (!affine) continue;
    fold_into(graph, *target, *affine);
    take_over(graph, node->output(0), node->input(data));
    return true;
  }
  return false;
}

}  // namespace

size_t fold_affine(Graph& graph, int64_t /*opset*/) {
  size_t rewrites = 0;
  for (Node* node : snapshot(graph)) {
    const bool arithmetic =
        is_op(node, "Mul") || is_op(node, "Div") || is_op(node, "Add") || is_op(node, "Sub");
    if (arithmetic && fold_one(graph, node)) ++rewrites;
  }
  return rewrites;
}

}  // namespace limbeck
