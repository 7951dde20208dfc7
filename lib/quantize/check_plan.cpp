#include "lib/quantize/check_plan.h"

#include <string>
#include <unordered_map>

#include "lib/base/error.h"

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

}  // namespace

void check_plan(const Graph& graph, const Plan& plan) {
  NodeIndex nodes;
  for (const auto& node : graph.nodes()) nodes[node->name()] = node.get();
  for (const auto& [name, planned] : plan.activations) {
    if (graph.find(name) == nullptr)
      fail("plan tensor '" + name + "'", "the plan must name tensors of this model",
           "no such tensor");
  }
  for (const auto& [name, planned] : plan.nodes) planned_node(nodes, name);
  for (const auto& [name, planned] : plan.weights) {
    const Node& node = planned_node(nodes, name);
    check_weight(node, planned);
    check_input(node, plan);
  }
}

}  // namespace limbeck
