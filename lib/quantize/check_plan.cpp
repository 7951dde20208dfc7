#include "lib/quantize/check_plan.h"

#include <string>
#include <unordered_map>

#include "lib/base/error.h"
#include "lib/quantize/pattern.h"

namespace limbeck {
namespace {

using NodeIndex = std::unordered_map<std::string, const Node*>;

[[noreturn]] void fail(const std::string& place, const std::string& rule,
                       const std::string& received) {
  throw_error(Category::kUsage, place, rule, received,
              "make the plan from this model with --save-plan");
}

const Node& planned_node(const NodeIndex& nodes, const std::string& name) {
  const auto found = nodes.find(name);
  if (found == nodes.end())
    fail("plan node '" + name + "'", "the plan must name nodes of this model", "no such node");
  return *found->second;
}

void check_weight(const Node& node, const PlannedWeight& planned) {
  const std::string place = "plan weights of " + node.place();
  const Value* weights = node.input(1);
  if (weights == nullptr || weights->constant() == nullptr ||
      weights->constant()->type() != DataType::kFloat)
    fail(place, "only constant float weights can be quantized", "none at input 1");
  const auto rank = static_cast<int64_t>(weights->constant()->rank());
  if (planned.axis < 0 || planned.axis >= rank)
    fail(place, "the channel axis must lie inside " + dims_text(weights->constant()->dims()),
         std::to_string(planned.axis));
  const Value* bias = node.input(2);
  const bool plain = bias == nullptr ||
                     (bias->constant() != nullptr && bias->constant()->type() == DataType::kFloat);
  if (!plain) fail(place, "a bias must be a float constant", "one that is computed");
}

/// Integer kernels need the input in integers too.
void check_input(const Node& node, const Plan& plan) {
  const Value* input = node.input(0);
  if (plan.format == EmitFormat::kDynamic || input == nullptr) return;
  if (plan.activations.contains(input->name())) return;
  fail("plan weights of " + node.place(),
       "the input of a node with integer weights must be among the planned activations",
       "'" + input->name() + "' is not");
}

[[noreturn]] void fail_edit(const std::string& place, const std::string& rule,
                            const std::string& received) {
  throw_error(Category::kUsage, place, rule, received,
              "see docs/formats/plan.md, or let limbeck plan it with --set");
}

void check_node(const Node& node, const PlannedNode& planned, const Plan& plan,
                const Model& model) {
  const std::string place = "plan " + node.place();
  if (node.op_type() != planned.op_type)
    fail(place, "the operator must be that of the model", "'" + planned.op_type + "'");
  if (!planned.integer) return;
  const QuantRole role = role_of(model, node);
  if (role == QuantRole::kNone || role == QuantRole::kQuantizer)
    fail_edit(place, "only operators with an integer form compute in integers", "integer: true");
  if (role == QuantRole::kWeighted && !plan.weights.contains(node.name()))
    fail_edit(place, "a weighted node that computes in integers needs an entry in weights", "none");
}

bool same_codes(const PlannedActivation& a, const PlannedActivation& b) {
  return a.type == b.type && a.symmetric == b.symmetric && a.low == b.low && a.high == b.high;
}

void check_group(const std::string& name, const PlannedActivation& planned, const Plan& plan) {
  const std::string place = "plan tensor '" + name + "'";
  const auto first = plan.activations.find(planned.group);
  if (first == plan.activations.end())
    fail_edit(place, "a group is named after one of its tensors", "'" + planned.group + "'");
  if (!same_codes(planned, first->second))
    fail_edit(place, "tensors of a group have the same type and range",
              "another one than '" + planned.group + "'");
}

/// Runtimes move codes through these operators as they are.
void check_shared(const Node& node, const Plan& plan, const Model& model) {
  const auto planned = plan.nodes.find(node.name());
  if (planned == plan.nodes.end() || !planned->second.integer) return;
  const QuantRole role = role_of(model, node);
  if (role != QuantRole::kSameScale && role != QuantRole::kSharedScale) return;
  const auto planned_group = [&](const Value* value) -> std::string {
    const auto found =
        value == nullptr ? plan.activations.end() : plan.activations.find(value->name());
    return found == plan.activations.end() ? "" : group_of(found->first, found->second);
  };
  const Value* output = node.output(0);
  const std::string shared = planned_group(output);
  if (shared.empty()) return;
  // Only the first input of a mover is data.
  const size_t data = role == QuantRole::kSameScale ? 1 : node.inputs().size();
  for (size_t i = 0; i < data; ++i) {
    const Value* input = node.input(i);
    const std::string own = planned_group(input);
    if (own.empty() || own == shared) continue;
    fail_edit("plan " + node.place(), "its input and its result must be of one group",
              "'" + input->name() + "' and '" + output->name() + "' are not");
  }
}

}  // namespace

void check_plan(const Model& model, const Plan& plan) {
  const Graph& graph = model.graph;
  NodeIndex nodes;
  for (const auto& node : graph.nodes()) nodes[node->name()] = node.get();
  for (const auto& [name, planned] : plan.activations) {
    if (graph.find(name) == nullptr)
      fail("plan tensor '" + name + "'", "the plan must name tensors of this model",
           "no such tensor");
    if (!planned.group.empty()) check_group(name, planned, plan);
  }
  for (const auto& [name, planned] : plan.nodes)
    check_node(planned_node(nodes, name), planned, plan, model);
  for (const auto& node : graph.nodes()) check_shared(*node, plan, model);
  for (const auto& [name, planned] : plan.weights) {
    const Node& node = planned_node(nodes, name);
    check_weight(node, planned);
    check_input(node, plan);
  }
}

}  // namespace limbeck
