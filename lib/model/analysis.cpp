#include "lib/model/analysis.h"

#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>
#include <utility>

#include "lib/model/node_macs.h"
#include "lib/model/proto_walk.h"
#include "lib/model/sizes.h"

namespace limbeck {
namespace {

InterfaceTensor describe(const Value* value) {
  return {value->name(), data_type_name(value->type), value->shape};
}

void describe_envelope(const Model& model, ModelSummary* summary) {
  summary->ir_version = model.envelope.ir_version();
  summary->producer = model.envelope.producer_name();
  if (!model.envelope.producer_version().empty())
    summary->producer += " " + model.envelope.producer_version();
  for (const auto& import : model.envelope.opset_import()) {
    summary->opsets.push_back(
        {import.domain() == "ai.onnx" ? "" : import.domain(), import.version()});
  }
  summary->functions = model.envelope.functions_size();
  for (const Value* input : model.graph.inputs()) summary->inputs.push_back(describe(input));
  for (const Value* output : model.graph.outputs()) summary->outputs.push_back(describe(output));
}

int64_t nodes_in_subgraphs(const onnx::NodeProto& node) {
  int64_t count = 0;
  for_each_subgraph(node, [&count](const onnx::GraphProto& subgraph) {
    count += subgraph.node_size();
    for (const auto& inner : subgraph.node()) count += nodes_in_subgraphs(inner);
  });
  return count;
}

void count_operators(const Graph& graph, ModelSummary* summary) {
  std::map<std::pair<std::string, std::string>, int64_t> counts;
  for (const auto& node : graph.nodes()) {
    ++counts[{node->domain(), node->op_type()}];
    summary->subgraph_nodes += nodes_in_subgraphs(node->proto());
  }
  for (const auto& [key, count] : counts)
    summary->operators.push_back({key.first, key.second, count});
  summary->nodes = static_cast<int64_t>(graph.nodes().size());
}

void count_parameters(const Graph& graph, ModelSummary* summary) {
  for (const Value* value : graph.values()) {
    const Tensor* tensor = value->constant();
    if (tensor == nullptr || tensor->type() == DataType::kInt64 ||
        tensor->type() == DataType::kBool)
      continue;
    summary->parameters += tensor->count();
    summary->weight_bytes += static_cast<int64_t>(tensor->bytes());
  }
}

NodeCost cost_of(const Node& node, const SampleSizes& sizes) {
  const auto macs = node_macs(node, sizes);
  NodeCost cost{node.name(), node.op_type(), macs ? *macs / sizes.batch() : -1, false, false};
  const bool float_form = has_integer_form(node);
  const bool integer_op =
      node.op_type().starts_with("QLinear") || node.op_type().ends_with("Integer");
  cost.quantized =
      integer_op || (float_form && is_dequantized(node.input(0)) && is_dequantized(node.input(1)));
  cost.quantizable = float_form && !cost.quantized;
  return cost;
}

void count_macs(const Graph& graph, const SampleSizes& sizes, ModelSummary* summary) {
  int64_t quantizable = 0;
  int64_t quantized = 0;
  for (const auto& node : graph.nodes()) {
    if (!has_macs(*node)) continue;
    const NodeCost cost = cost_of(*node, sizes);
    const int64_t macs = std::max<int64_t>(cost.macs, 0);
    summary->nodes_of_unknown_macs += cost.macs < 0 ? 1 : 0;
    summary->quantizable_nodes += cost.quantizable ? 1 : 0;
    summary->quantized_nodes += cost.quantized ? 1 : 0;
    summary->macs = saturating_sum(summary->macs, macs);
    if (cost.quantizable) quantizable = saturating_sum(quantizable, macs);
    if (cost.quantized) quantized = saturating_sum(quantized, macs);
    summary->costs.push_back(cost);
  }
  if (summary->macs == 0) return;
  summary->quantizable_mac_share =
      static_cast<double>(quantizable) / static_cast<double>(summary->macs);
  summary->quantized_mac_share =
      static_cast<double>(quantized) / static_cast<double>(summary->macs);
}

bool has_subgraph(const Node& node) {
  bool found = false;
  for_each_subgraph(node.proto(), [&found](const onnx::GraphProto&) { found = true; });
  return found;
}

bool is_random(const Node& node) {
  return node.op_type().starts_with("Random") || node.op_type() == "Bernoulli" ||
         node.op_type() == "Multinomial";
}

/// Values computed from constants alone, such as dequantized weights: they do not depend on the
/// sample, and a runtime computes them once or within the operator that reads them.
std::set<const Value*> derived_constants(const Graph& graph) {
  std::set<const Value*> derived;
  const auto is_fixed = [&derived](const Value* value) {
    return value == nullptr || value->constant() != nullptr || derived.contains(value);
  };
  for (const auto& node : graph.nodes()) {
    const auto& inputs = node->inputs();
    if (inputs.empty() || !node->domain().empty() || is_random(*node) || has_subgraph(*node))
      continue;
    if (std::all_of(inputs.begin(), inputs.end(), is_fixed))
      derived.insert(node->outputs().begin(), node->outputs().end());
  }
  return derived;
}

/// Walks the nodes in order and keeps account of the activations that are alive.
class MemoryWalk {
 public:
  MemoryWalk(const Graph& graph, const SampleSizes& sizes, ModelSummary* summary)
      : graph_(graph),
        sizes_(sizes),
        summary_(summary),
        derived_constants_(derived_constants(graph)) {}

  void run() {
    find_last_uses();
    for (const Value* input : graph_.inputs()) bring_to_life(input);
    note_peak("");
    for (const auto& node : graph_.nodes()) {
      for (const Value* output : node->outputs()) bring_to_life(output);
      note_peak(node->name());
      for (const Value* input : node->inputs()) free_after(input, node.get());
      for (const Value* output : node->outputs()) free_after(output, node.get());
    }
  }

 private:
  /// An output that nothing reads dies with its producer.
  void find_last_uses() {
    for (const auto& node : graph_.nodes()) {
      for (const Value* output : node->outputs()) last_use_[output] = node.get();
      for (const Value* input : node->inputs()) last_use_[input] = node.get();
    }
  }

  void bring_to_life(const Value* value) {
    if (value == nullptr || value->constant() != nullptr) return;
    if (derived_constants_.contains(value)) return;
    const auto bytes = sizes_.bytes(value);
    if (!bytes) {
      ++summary_->values_of_unknown_size;
      return;
    }
    alive_[value] = *bytes / sizes_.batch();
    total_ = saturating_sum(total_, alive_[value]);
  }

  void free_after(const Value* value, const Node* node) {
    const auto entry = alive_.find(value);
    if (entry == alive_.end() || last_use_[value] != node) return;
    if (value->is_graph_output() || value->captured_by_subgraph()) return;
    total_ -= entry->second;
    alive_.erase(entry);
  }

  void note_peak(const std::string& node) {
    if (total_ <= summary_->peak_activation_bytes) return;
    summary_->peak_activation_bytes = total_;
    summary_->peak_node = node;
  }

  const Graph& graph_;
  const SampleSizes& sizes_;
  ModelSummary* summary_;
  std::set<const Value*> derived_constants_;
  std::unordered_map<const Value*, const Node*> last_use_;
  std::unordered_map<const Value*, int64_t> alive_;
  int64_t total_ = 0;
};

}  // namespace

ModelSummary analyse(const Model& model) {
  ModelSummary summary;
  describe_envelope(model, &summary);
  count_operators(model.graph, &summary);
  count_parameters(model.graph, &summary);
  const SampleSizes sizes(model.graph);
  summary.batch = sizes.batch();
  count_macs(model.graph, sizes, &summary);
  MemoryWalk(model.graph, sizes, &summary).run();
  return summary;
}

}  // namespace limbeck
