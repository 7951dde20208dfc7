#include "lib/quantize/passes/rewrite.h"

#include <limits>
#include <string>
#include <utility>

namespace limbeck {

std::vector<Node*> snapshot(const Graph& graph) {
  std::vector<Node*> nodes;
  nodes.reserve(graph.nodes().size());
  for (const auto& node : graph.nodes()) nodes.push_back(node.get());
  return nodes;
}

bool is_op(const Node* node, std::string_view op_type) {
  return node != nullptr && node->domain().empty() && node->op_type() == op_type;
}

bool is_private(const Value* value) {
  return value->uses().size() == 1 && !value->is_graph_output() && !value->captured_by_subgraph();
}

bool can_bypass(const Value* from, const Value* to) {
  if (from == nullptr || to == nullptr || from->captured_by_subgraph()) return false;
  if (!from->is_graph_output()) return true;
  // The names will be swapped, so `to` must be free to change its own.
  return to->producer() != nullptr && !to->is_graph_output() && !to->captured_by_subgraph();
}

void bypass(Graph& graph, Value* from, Value* to) {
  if (to->type == DataType::kUndefined) to->type = from->type;
  if (!to->shape) to->shape = from->shape;
  graph.replace_all_uses(from, to);
  graph.remove_node(from->producer());
}

bool can_take_over(const Value* from, const Value* to) {
  return from != nullptr && to != nullptr && !from->captured_by_subgraph() &&
         !to->captured_by_subgraph() && !to->is_graph_output() && !to->is_graph_input();
}

void take_over(Graph& graph, Value* from, Value* to) {
  const std::string name = from->name();
  to->type = from->type;
  to->shape = from->shape;
  graph.replace_all_uses(from, to);
  graph.remove_node(from->producer());
  graph.rename(to, name);
}

const Tensor* float_constant(const Node& node, size_t index) {
  const Value* value = node.input(index);
  if (value == nullptr || value->constant() == nullptr) return nullptr;
  return value->constant()->type() == DataType::kFloat ? value->constant() : nullptr;
}

std::optional<float> scalar_constant(const Value* value, size_t rank) {
  if (value == nullptr || value->constant() == nullptr) return std::nullopt;
  const Tensor& tensor = *value->constant();
  if (tensor.type() != DataType::kFloat || tensor.count() != 1 || tensor.rank() > rank)
    return std::nullopt;
  return tensor.as<float>()[0];
}

void set_constant_input(Graph& graph, Node* node, size_t index, Tensor tensor,
                        const std::string& name) {
  Value* old = node->input(index);
  if (old != nullptr && old->is_initializer() && is_private(old)) {
    graph.set_constant(old, std::move(tensor));
    return;
  }
  graph.set_input(node, index,
                  graph.add_initializer(old == nullptr ? name : old->name(), std::move(tensor)));
}

std::optional<ClipBounds> clip_bounds(const Node& node, int64_t opset) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  constexpr float kLargest = std::numeric_limits<float>::max();
  ClipBounds bounds{-kInfinity, kInfinity};
  if (opset < 11) {
    bounds = {node.float_attribute("min", -kLargest), node.float_attribute("max", kLargest)};
  } else {
    const auto low = scalar_constant(node.input(1));
    const auto high = scalar_constant(node.input(2));
    if ((node.input(1) != nullptr && !low) || (node.input(2) != nullptr && !high))
      return std::nullopt;
    bounds = {low.value_or(-kInfinity), high.value_or(kInfinity)};
  }
  if (bounds.low <= -kLargest) bounds.low = -kInfinity;
  if (bounds.high >= kLargest) bounds.high = kInfinity;
  return bounds;
}

}  // namespace limbeck
