#include "lib/autodiff/parameters.h"

#include <algorithm>
#include <array>
#include <map>
#include <unordered_set>

#include "lib/base/glob.h"
#include "lib/ops/op.h"

namespace limbeck {
namespace {

using Values = std::unordered_set<const Value*>;

/// Input slots that hold weights.
const std::map<std::string_view, std::vector<size_t>>& weight_slots() {
  static const std::map<std::string_view, std::vector<size_t>> kSlots = {
      {"BatchNormalization", {1, 2}},
      {"Conv", {1, 2}},
      {"ConvTranspose", {1, 2}},
      {"Gather", {0}},
      {"Gemm", {0, 1, 2}},
      {"InstanceNormalization", {1, 2}},
      {"LayerNormalization", {1, 2}},
      {"MatMul", {0, 1}},
      {"PRelu", {1}},
  };
  return kSlots;
}

bool holds_weight(const Use& use) {
  const auto row = weight_slots().find(use.node->op_type());
  return use.node->domain().empty() && row != weight_slots().end() &&
         std::find(row->second.begin(), row->second.end(), use.index) != row->second.end();
}

bool is_arithmetic(const Node& node) {
  constexpr std::array<std::string_view, 4> kNames = {"Add", "Div", "Mul", "Sub"};
  return node.domain().empty() &&
         std::find(kNames.begin(), kNames.end(), node.op_type()) != kNames.end();
}

/// Whether input 0 comes out moved, cast or quantized.
bool hands_through(const Model& model, const Use& use) {
  const Node& node = *use.node;
  const OpRow* row = find_op(node.domain(), node.op_type(), model.opset(node.domain()));
  if (row == nullptr || row->gradient == nullptr) return false;
  if (row->role == QuantRole::kSharedScale) return true;  // Concat
  if (use.index != 0) return false;
  return row->role == QuantRole::kSameScale || row->name == "Cast" || row->name == "Clip" ||
         row->name == "QuantizeLinear" || row->name == "DequantizeLinear";
}

/// Values that depend on the result of an operator with weights.
Values weighted_values(const Model& model) {
  Values weighted;
  for (const auto& node : model.graph.nodes()) {
    const bool own = node->domain().empty() && weight_slots().contains(node->op_type());
    const bool inherited =
        std::any_of(node->inputs().begin(), node->inputs().end(),
                    [&](const Value* input) { return weighted.contains(input); });
    if (!own && !inherited) continue;
    for (const Value* output : node->outputs())
      if (output != nullptr) weighted.insert(output);
  }
  return weighted;
}

class Finder {
 public:
  explicit Finder(const Model& model) : model_(model), weighted_(weighted_values(model)) {}

  bool trains(const Value* value, int64_t elements, int depth = 0) const {
    constexpr int kDeepest = 64;
    if (depth > kDeepest) return false;
    return std::any_of(value->uses().begin(), value->uses().end(), [&](const Use& use) {
      if (holds_weight(use)) return true;
      if (is_arithmetic(*use.node)) return elements > 1 && beside_weighted(use);
      if (!hands_through(model_, use)) return false;
      const auto& outputs = use.node->outputs();
      return std::any_of(outputs.begin(), outputs.end(), [&](const Value* output) {
        return output != nullptr && trains(output, elements, depth + 1);
      });
    });
  }

 private:
  bool beside_weighted(const Use& use) const {
    const Value* other = use.node->input(1 - use.index);
    return other != nullptr && weighted_.contains(other);
  }

  const Model& model_;
  Values weighted_;
};

/// Identity nodes of stored constants become constants.
size_t separate_copies(Graph& graph) {
  std::vector<Node*> copies;
  for (const auto& node : graph.nodes()) {
    const bool stored = node->domain().empty() && node->op_type() == "Identity" &&
                        node->input(0) != nullptr && node->input(0)->constant() != nullptr;
    const Value* output = node->output(0);
    if (stored && output != nullptr && !output->is_graph_output() &&
        !output->captured_by_subgraph())
      copies.push_back(node.get());
  }
  for (Node* node : copies) {
    Value* output = node->output(0);
    const std::string name = output->name();
    const Tensor shared = *node->input(0)->constant();
    Value* own = graph.add_initializer(name + ".own", shared);
    graph.replace_all_uses(output, own);
    graph.remove_node(node);
    if (graph.find(name) == nullptr) graph.rename(own, name);
  }
  return copies.size();
}

/// The last reader of a shared constant keeps it.
size_t separate_normalizations(Graph& graph) {
  size_t copies = 0;
  for (const auto& node : graph.nodes()) {
    if (!node->domain().empty() || node->op_type() != "BatchNormalization") continue;
    for (size_t i = 1; i < node->inputs().size(); ++i) {
      const Value* shared = node->input(i);
      if (shared == nullptr || shared->constant() == nullptr || shared->uses().size() < 2) continue;
      const Tensor tensor = *shared->constant();
      graph.set_input(node.get(), i, graph.add_initializer(shared->name() + ".own", tensor));
      ++copies;
    }
  }
  return copies;
}

bool is_real(const Tensor& tensor) {
  return tensor.type() == DataType::kFloat || tensor.type() == DataType::kDouble;
}

bool matches(const std::vector<std::string>& globs, const std::string& name) {
  return std::any_of(globs.begin(), globs.end(),
                     [&](const std::string& glob) { return matches_glob(glob, name); });
}

}  // namespace

size_t separate_parameters(Model& model) {
  const size_t copies = separate_copies(model.graph) + separate_normalizations(model.graph);
  model.graph.remove_dead();
  return copies;
}

std::vector<const Value*> find_parameters(const Model& model,
                                          const std::vector<std::string>& globs) {
  const Finder finder(model);
  std::vector<const Value*> found;
  for (const Value* value : model.graph.values()) {
    const Tensor* constant = value->constant();
    if (constant == nullptr || !is_real(*constant) || !matches(globs, value->name())) continue;
    const bool named = std::find(globs.begin(), globs.end(), value->name()) != globs.end();
    if (named || finder.trains(value, constant->count())) found.push_back(value);
  }
  return found;
}

}  // namespace limbeck
