#include <optional>
#include <utility>

#include "lib/quantize/passes/passes.h"
#include "lib/quantize/passes/rewrite.h"

namespace limbeck {
namespace {

template <typename T>
Tensor vector_tensor(const std::vector<T>& values) {
  return Tensor::from<T>({static_cast<int64_t>(values.size())}, values);
}

std::optional<Tensor> constant_of(const Node& node) {
  if (const Tensor* tensor = node.output(0)->constant()) return *tensor;
  if (node.has_attribute("value_float"))
    return Tensor::scalar<float>(node.float_attribute("value_float", 0));
  if (node.has_attribute("value_int"))
    return Tensor::scalar<int64_t>(node.int_attribute("value_int", 0));
  if (node.has_attribute("value_floats"))
    return vector_tensor<float>(node.floats_attribute("value_floats", {}));
  if (node.has_attribute("value_ints"))
    return vector_tensor<int64_t>(node.ints_attribute("value_ints", {}));
  return std::nullopt;
}

}  // namespace

size_t constants_to_initializers(Graph& graph, int64_t /*opset*/) {
  size_t rewrites = 0;
  for (Node* node : snapshot(graph)) {
    Value* output = node->output(0);
    if (!is_op(node, "Constant") || output == nullptr) continue;
    if (output->is_graph_output() || output->captured_by_subgraph()) continue;
    auto tensor = constant_of(*node);
    if (!tensor) continue;
    const std::string name = output->name();
    Value* initializer = graph.add_initializer(name, std::move(*tensor));
    graph.replace_all_uses(output, initializer);
    graph.remove_node(node);
    graph.rename(initializer, name);
    ++rewrites;
  }
  return rewrites;
}

}  // namespace limbeck
