#include "lib/quantize/passes/passes.h"
#include "lib/quantize/passes/rewrite.h"

namespace limbeck {

size_t split_transposed_gemm(Graph& graph, int64_t /*opset*/) {
  size_t rewrites = 0;
  for (Node* node : snapshot(graph)) {
    if (!is_op(node, "Gemm") || node->int_attribute("transA", 0) == 0) continue;
    Value* input = node->input(0);
    const bool weighted = node->input(1) != nullptr && node->input(1)->constant() != nullptr;
    if (input == nullptr || input->constant() != nullptr || !weighted) continue;
    const std::string name = input->name() + "_transposed";
    Node* transpose = graph.add_node("Transpose", "", name, {input}, {name}, node);
    transpose->set_attribute("perm", std::vector<int64_t>{1, 0});
    graph.set_input(node, 0, transpose->output(0));
    node->remove_attribute("transA");
    ++rewrites;
  }
  return rewrites;
}

}  // namespace limbeck
