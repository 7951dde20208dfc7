#include "lib/engine/scope.h"

#include <algorithm>

#include "lib/base/error.h"
#include "lib/ops/op.h"

namespace limbeck {
namespace {

bool has_subgraph(const Node& node) {
  const auto& attributes = node.proto().attribute();
  return std::any_of(attributes.begin(), attributes.end(), [](const auto& attribute) {
    return attribute.has_g() || attribute.graphs_size() > 0;
  });
}

bool is_random(const std::string& op) {
  return op.starts_with("Random") || op == "Bernoulli" || op == "Multinomial" || op == "Dropout";
}

}  // namespace

Scope::Scope(const Model& model, std::set<const Value*> wanted, bool fold)
    : model_(model), wanted_(std::move(wanted)) {
  if (!fold) return;
  for (const auto& node : model.graph.nodes()) {
    const auto known = [this](const Value* input) {
      return input == nullptr || input->constant() != nullptr || folded_.contains(input);
    };
    const auto& inputs = node->inputs();
    if (inputs.empty() || !std::all_of(inputs.begin(), inputs.end(), known)) continue;
    if (has_subgraph(*node) || is_random(node->op_type())) continue;
    if (node->op_type() == "DequantizeLinear") {
      folded_.emplace(node->output(0), std::nullopt);
    } else {
      fold_node(*node);
    }
  }
}

void Scope::fold_node(const Node& node) const {
  const OpRow* row = find_op(node.domain(), node.op_type(), model_.opset(node.domain()));
  if (row == nullptr || row->kernel == nullptr) return;
  std::vector<const Tensor*> inputs;
  for (const Value* input : node.inputs())
    inputs.push_back(input == nullptr ? nullptr : constant(input));
  std::vector<Tensor> outputs(node.outputs().size());
  KernelContext context(inputs, outputs);
  row->kernel(node, model_.opset(node.domain()))->run(context);
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (node.output(i) != nullptr) folded_[node.output(i)] = std::move(outputs[i]);
  }
}

const Tensor* Scope::constant(const Value* value) const {
  if (value == nullptr) return nullptr;
  if (value->constant() != nullptr) return value->constant();
  const auto found = folded_.find(value);
  if (found == folded_.end()) return nullptr;
  if (!found->second) fold_node(*value->producer());
  return found->second ? &*found->second : nullptr;
}

bool Scope::is_inner(const Value* value, size_t uses) const {
  return value != nullptr && value->uses().size() == uses && !value->is_graph_output() &&
         !value->captured_by_subgraph() && !wanted_.contains(value);
}

const Node* Scope::producer(const Value* value, std::string_view op_type) const {
  const Node* node = value == nullptr ? nullptr : value->producer();
  return node != nullptr && node->domain().empty() && node->op_type() == op_type ? node : nullptr;
}

}  // namespace limbeck
