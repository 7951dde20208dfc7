#include "lib/model/upgrade.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "lib/base/error.h"
#include "lib/model/upgrade_table.h"

namespace limbeck {
namespace {

/// Oldest IR version whose models may import opset `first` (ONNX, Versioning).
struct IrFloor {
  int64_t first;
  int64_t ir;
};
constexpr std::array<IrFloor, 8> kIrFloors = {
    {{21, 10}, {19, 9}, {15, 8}, {12, 7}, {11, 6}, {10, 5}, {9, 4}, {7, 3}}};

int64_t needed_ir(int64_t opset) {
  const auto floor = std::find_if(kIrFloors.begin(), kIrFloors.end(),
                                  [opset](const IrFloor& f) { return f.first <= opset; });
  return floor == kIrFloors.end() ? 3 : floor->ir;
}

bool is_default(const std::string& domain) { return domain.empty() || domain == "ai.onnx"; }

std::string step_text(int64_t from, int64_t to) {
  return "from opset " + std::to_string(from) + " to " + std::to_string(to);
}

const OperatorHistory& history_of(const std::string& op_type, const std::string& place,
                                  int64_t from, int64_t to) {
  const OperatorHistory* history = find_history(op_type);
  if (history != nullptr) return *history;
  throw_error(Category::kUnsupported, place,
              "an operator must be known to be upgraded " + step_text(from, to),
              "operator '" + op_type + "' of opset " + std::to_string(from),
              "export the model with opset " + std::to_string(to) +
                  ", or choose a format that needs no newer opset");
}

/// Nodes of subgraphs and functions are kept as protobuf, so they may only pass when nothing
/// changes for them.
template <typename Nodes>
void check_unchanged(const Nodes& nodes, const std::string& owner, int64_t from, int64_t to) {
  for (const onnx::NodeProto& node : nodes) {
    for (const auto& attribute : node.attribute()) {
      if (attribute.has_g()) check_unchanged(attribute.g().node(), owner, from, to);
      for (const auto& graph : attribute.graphs()) check_unchanged(graph.node(), owner, from, to);
    }
    if (!is_default(node.domain())) continue;
    const std::string place = owner + ", inner node '" + node.name() + "' (" + node.op_type() + ")";
    for (const BreakingChange& change : history_of(node.op_type(), place, from, to).changes) {
      if (change.opset <= from || change.opset > to) continue;
      throw_error(Category::kUnsupported, place,
                  "operators inside subgraphs and functions are not upgraded",
                  "an operator that changed in opset " + std::to_string(change.opset),
                  "export the model with opset " + std::to_string(to));
    }
  }
}

void check_subgraphs(const Graph& graph, int64_t from, int64_t to) {
  for (const auto& node : graph.nodes()) {
    for (const auto& attribute : node->proto().attribute()) {
      if (attribute.has_g()) check_unchanged(attribute.g().node(), node->place(), from, to);
      for (const auto& subgraph : attribute.graphs())
        check_unchanged(subgraph.node(), node->place(), from, to);
    }
  }
}

void upgrade_functions(onnx::ModelProto& envelope, int64_t to) {
  for (auto& function : *envelope.mutable_functions()) {
    for (auto& import : *function.mutable_opset_import()) {
      if (!is_default(import.domain()) || import.version() >= to) continue;
      check_unchanged(function.node(), "function '" + function.name() + "'", import.version(), to);
      import.set_version(to);
    }
  }
}

void upgrade_one_step(Graph& graph, int64_t from) {
  std::vector<Node*> nodes;
  for (const auto& node : graph.nodes()) nodes.push_back(node.get());
  for (Node* node : nodes) {
    if (!is_default(node->domain())) continue;
    for (const BreakingChange& change :
         history_of(node->op_type(), node->place(), from, from + 1).changes) {
      if (change.opset != from + 1) continue;
      change.rule(graph, node);
      break;
    }
  }
}

}  // namespace

void upgrade_opset(Model& model, int64_t target) {
  const int64_t from = model.opset();
  if (from >= target) return;
  if (target > kNewestUpgrade) {
    throw_error(Category::kUnsupported, "model",
                "models are upgraded to opset " + std::to_string(kNewestUpgrade) + " at most",
                "opset " + std::to_string(target), "choose a format that needs no newer opset");
  }
  if (from > 0) {
    check_subgraphs(model.graph, from, target);
    upgrade_functions(model.envelope, target);
    for (int64_t opset = from; opset < target; ++opset) upgrade_one_step(model.graph, opset);
  }
  model.set_opset("", target);
  model.envelope.set_ir_version(std::max(model.envelope.ir_version(), needed_ir(target)));
}

}  // namespace limbeck
