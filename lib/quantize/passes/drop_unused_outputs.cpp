#include "lib/quantize/passes/passes.h"
#include "lib/quantize/passes/rewrite.h"

namespace limbeck {
namespace {

/// Operators whose outputs after the first are optional and do not steer what the first one holds.
bool has_optional_outputs(const Node* node) {
  return is_op(node, "Dropout") || is_op(node, "MaxPool") || is_op(node, "LayerNormalization");
}

}  // namespace

size_t drop_unused_outputs(Graph& graph, int64_t /*opset*/) {
  size_t rewrites = 0;
  for (Node* node : snapshot(graph)) {
    if (!has_optional_outputs(node)) continue;
    for (size_t i = node->outputs().size(); i-- > 1;) {
      const Value* output = node->output(i);
      if (output == nullptr || !output->uses().empty()) continue;
      if (output->is_graph_output() || output->captured_by_subgraph()) continue;
      graph.drop_output(node, i);
      ++rewrites;
    }
  }
  return rewrites;
}

}  // namespace limbeck
