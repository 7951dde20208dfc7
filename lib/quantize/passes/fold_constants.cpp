#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <string_view>

#include "lib/base/error.h"
#include "lib/ops/op.h"
#include "lib/quantize/passes/passes.h"
#include "lib/quantize/passes/rewrite.h"

namespace limbeck {
namespace {

/// Results above this stay computed at run time; it also bounds what a hostile model can make us
/// allocate.
constexpr int64_t kMaxBytes = int64_t{64} << 20;
constexpr int64_t kMaxElements = kMaxBytes / 8;

constexpr std::array<std::string_view, 2> kRandom = {"Bernoulli", "Multinomial"};
/// Operators whose result may be larger than the product of their inputs' sizes.
constexpr std::array<std::string_view, 9> kEnlarging = {
    "ConstantOfShape", "Expand", "OneHot",   "Pad",          "Range",
    "Resize",          "Tile",   "Upsample", "CenterCropPad"};

template <size_t N>
bool contains(const std::array<std::string_view, N>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

int64_t saturating_product(int64_t a, int64_t b) {
  if (b > 0 && a > std::numeric_limits<int64_t>::max() / b)
    return std::numeric_limits<int64_t>::max();
  return a * b;
}

/// Elements of a value whose shape is known in full.
std::optional<int64_t> known_count(const Value& value) {
  if (!value.shape) return std::nullopt;
  int64_t count = 1;
  for (const Dim& dim : *value.shape) {
    if (!dim.known()) return std::nullopt;
    count = saturating_product(count, dim.value);
  }
  return count;
}

bool result_is_small(const Node& node) {
  bool all_known = true;
  for (const Value* output : node.outputs()) {
    if (output == nullptr) continue;
    const auto count = known_count(*output);
    if (count && *count > kMaxElements) return false;
    all_known = all_known && count.has_value();
  }
  if (all_known) return true;
  int64_t product = 1;
  for (const Value* input : node.inputs()) {
    if (input != nullptr)
      product = saturating_product(product, std::max<int64_t>(input->constant()->count(), 1));
  }
  return !contains(kEnlarging, node.op_type()) && product <= kMaxElements;
}

bool is_constant_call(const Node& node) {
  const auto& inputs = node.inputs();
  const auto constant_or_absent = [](const Value* value) {
    return value == nullptr || value->constant() != nullptr;
  };
  if (inputs.empty() || inputs[0] == nullptr) return false;
  if (!std::all_of(inputs.begin(), inputs.end(), constant_or_absent)) return false;
  return std::none_of(node.outputs().begin(), node.outputs().end(), [](const Value* output) {
    return output != nullptr && (output->captured_by_subgraph() || output->is_graph_output());
  });
}

/// Absent when the engine lacks the operator or this use of it.
std::optional<std::vector<Tensor>> evaluate(const Node& node, const OpRow& row, int64_t opset) {
  std::vector<const Tensor*> inputs;
  for (const Value* input : node.inputs())
    inputs.push_back(input == nullptr ? nullptr : input->constant());
  std::vector<Tensor> outputs(node.outputs().size());
  KernelContext context(inputs, outputs);
  try {
    row.kernel(node, opset)->run(context);
  } catch (const Error& error) {
    if (error.category() != Category::kUnsupported) throw;
    return std::nullopt;
  }
  return outputs;
}

bool fold_one(Graph& graph, Node* node, int64_t opset) {
  const OpRow* row = find_op(node->domain(), node->op_type(), opset);
  if (row == nullptr || row->kernel == nullptr || row->role == QuantRole::kQuantizer) return false;
  if (row->infer != nullptr) row->infer({*node, opset});
  if (!result_is_small(*node)) return false;
  const auto results = evaluate(*node, *row, opset);
  if (!results) return false;
  const std::vector<Value*> outputs = node->outputs();
  std::vector<std::pair<Value*, std::string>> renames;
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (outputs[i] == nullptr) continue;
    Value* constant = graph.add_initializer(outputs[i]->name(), (*results)[i]);
    renames.emplace_back(constant, outputs[i]->name());
    graph.replace_all_uses(outputs[i], constant);
  }
  graph.remove_node(node);
  for (const auto& [value, name] : renames) graph.rename(value, name);
  return true;
}

}  // namespace

size_t fold_constants(Graph& graph, int64_t opset) {
  size_t rewrites = 0;
  for (Node* node : snapshot(graph)) {
    if (!node->domain().empty() || contains(kRandom, node->op_type()) ||
        node->op_type().starts_with("Random"))
      continue;
    if (is_constant_call(*node) && fold_one(graph, node, opset)) ++rewrites;
  }
  return rewrites;
}

}  // namespace limbeck
