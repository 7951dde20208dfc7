#include "lib/quantize/passes/passes.h"
#include "lib/quantize/passes/rewrite.h"

namespace limbeck {
namespace {

/// The slope when `scaled` is x * slope with 0 < slope <= 1, for which max(x, scaled) is LeakyRelu.
std::optional<float> slope_of(const Value* scaled, const Value* x) {
  if (scaled == nullptr || !is_op(scaled->producer(), "Mul")) return std::nullopt;
  const Node& mul = *scaled->producer();
  for (size_t data = 0; data < 2; ++data) {
    const auto slope = scalar_constant(mul.input(1 - data), x->shape ? x->shape->size() : 0);
    if (mul.input(data) == x && slope && *slope > 0.0F && *slope <= 1.0F) return slope;
  }
  return std::nullopt;
}

bool fuse_one(Graph& graph, Node* node) {
  for (size_t data = 0; data < 2; ++data) {
    Value* x = node->input(data);
    if (x == nullptr) continue;
    const auto slope = slope_of(node->input(1 - data), x);
    if (!slope || node->output(0)->captured_by_subgraph()) continue;
    Node* leaky =
        graph.add_node("LeakyRelu", "", node->name(), {x}, {node->output(0)->name()}, node);
    leaky->set_attribute("alpha", *slope);
    take_over(graph, node->output(0), leaky->output(0));
    return true;
  }
  return false;
}

}  // namespace

size_t fuse_leaky_relu(Graph& graph, int64_t /*opset*/) {
  size_t rewrites = 0;
  for (Node* node : snapshot(graph)) {
    if (is_op(node, "Max") && node->inputs().size() == 2 && fuse_one(graph, node)) ++rewrites;
  }
  return rewrites;
}

}  // namespace limbeck
