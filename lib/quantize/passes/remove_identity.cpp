#include <algorithm>

#include "lib/quantize/passes/passes.h"
#include "lib/quantize/passes/rewrite.h"

namespace limbeck {
namespace {

bool is_inference_dropout(const Node& node) {
  const Value* training = node.input(2);
  if (training == nullptr) return true;
  return training->constant() != nullptr && training->constant()->count() == 1 &&
         training->constant()->to_int64()[0] == 0;
}

bool is_empty_pad(const Node& node, int64_t opset) {
  std::vector<int64_t> pads;
  if (opset < 11) {
    pads = node.ints_attribute("pads", {});
  } else {
    const Value* input = node.input(1);
    if (input == nullptr || input->constant() == nullptr) return false;
    pads = input->constant()->to_int64();
  }
  return std::all_of(pads.begin(), pads.end(), [](int64_t pad) { return pad == 0; });
}

bool is_same_type_cast(const Node& node) {
  const auto type = static_cast<DataType>(node.int_attribute("to", 0));
  return type != DataType::kUndefined && node.input(0)->type == type;
}

bool hands_through(const Node& node, int64_t opset) {
  if (is_op(&node, "Identity")) return true;
  if (is_op(&node, "Dropout")) return is_inference_dropout(node);
  if (is_op(&node, "Cast")) return is_same_type_cast(node);
  if (is_op(&node, "Concat")) return node.inputs().size() == 1;
  return is_op(&node, "Pad") && is_empty_pad(node, opset);
}

bool others_unused(const Node& node) {
  const auto& outputs = node.outputs();
  return std::all_of(outputs.begin() + 1, outputs.end(), [](const Value* output) {
    return output == nullptr || (output->uses().empty() && !output->is_graph_output() &&
                                 !output->captured_by_subgraph());
  });
}

}  // namespace

size_t remove_identity(Graph& graph, int64_t opset) {
  size_t rewrites = 0;
  for (Node* node : snapshot(graph)) {
    if (node->input(0) == nullptr || node->output(0) == nullptr || !hands_through(*node, opset))
      continue;
    if (!others_unused(*node) || !can_bypass(node->output(0), node->input(0))) continue;
    bypass(graph, node->output(0), node->input(0));
    ++rewrites;
  }
  return rewrites;
}

}  // namespace limbeck
