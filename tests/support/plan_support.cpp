#include "tests/support/plan_support.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>

#include "lib/ops/op.h"
#include "lib/quantize/pattern.h"

namespace limbeck::test {

CalibrationTable table_of(const Model& model, const NamedTensors& inputs) {
  CalibrationTable table;
  table.model_hash = "0123";
  table.samples = 1;
  for (const auto& [name, tensor] : reference_run(model, inputs)) {
    if (tensor.type() == DataType::kFloat) table.tensors[name].add(tensor.as<float>());
  }
  return table;
}

PlanOptions plain_options() {
  PlanOptions options;
  options.observer = ObserverMethod::kMinMax;
  options.weight_algorithm = "minmax";
  options.correct_bias = false;
  return options;
}

Plan plan_for(Model& model, const NamedTensors& inputs, const PlanOptions& options) {
  infer_shapes(model);
  return make_plan(model, table_of(model, inputs), options);
}

Plan plan_of_one(const Node& node) {
  Plan plan;
  plan.correct_bias = false;
  plan.nodes[node.name()] = {node.op_type(), true, "test"};
  plan.activations["x"] = {DataType::kUint8, false, 0, 255, "minmax", "", "test"};
  plan.activations["y"] = {DataType::kUint8, false, -255, 0, "minmax", "", "test"};
  plan.weights[node.name()] = {DataType::kInt8, weight_axis(node), "minmax", "test"};
  return plan;
}

size_t count_ops(const Model& model, const std::string& op_type) {
  const auto& nodes = model.graph.nodes();
  return static_cast<size_t>(std::count_if(
      nodes.begin(), nodes.end(), [&](const auto& node) { return node->op_type() == op_type; }));
}

const Node& only_node(const Model& model, const std::string& op_type) {
  INFO(op_type << " in\n" << model.graph.dump());
  REQUIRE(count_ops(model, op_type) == 1);
  const auto& nodes = model.graph.nodes();
  return **std::find_if(nodes.begin(), nodes.end(),
                        [&](const auto& node) { return node->op_type() == op_type; });
}

const Tensor& constant(const Model& model, const std::string& name) {
  const Value* value = model.graph.find(name);
  INFO(name << " in\n" << model.graph.dump());
  REQUIRE(value != nullptr);
  REQUIRE(value->constant() != nullptr);
  return *value->constant();
}

}  // namespace limbeck::test
