#include "tests/support/reference_run.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <vector>

#include "lib/ops/op.h"
#include "tests/support/worst.h"

namespace limbeck::test {
namespace {

void run_node(const Node& node, int64_t opset, NamedTensors* values) {
  const OpRow* row = find_op(node.domain(), node.op_type(), opset);
  INFO(node.place());
  REQUIRE(row != nullptr);
  REQUIRE(row->kernel != nullptr);
  std::vector<const Tensor*> inputs;
  for (const Value* input : node.inputs()) {
    inputs.push_back(input == nullptr               ? nullptr
                     : input->constant() != nullptr ? input->constant()
                                                    : &values->at(input->name()));
  }
  std::vector<Tensor> outputs(node.outputs().size());
  KernelContext context(inputs, outputs);
  row->kernel(node, opset)->run(context);
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (node.output(i) != nullptr) (*values)[node.output(i)->name()] = outputs[i];
  }
}

}  // namespace

NamedTensors reference_run(const Model& model, const NamedTensors& inputs) {
  NamedTensors values = inputs;
  for (const auto& node : model.graph.nodes()) {
    if (node->op_type() == "Constant" && node->output(0)->constant() != nullptr) continue;
    run_node(*node, model.opset(node->domain()), &values);
  }
  for (const Value* output : model.graph.outputs()) {
    if (output->constant() != nullptr) values[output->name()] = *output->constant();
  }
  return values;
}

void check_same_outputs(const Model& before, const Model& after, const NamedTensors& inputs,
                        float tolerance) {
  const NamedTensors expected = reference_run(before, inputs);
  const NamedTensors actual = reference_run(after, inputs);
  REQUIRE(before.graph.outputs().size() == after.graph.outputs().size());
  for (size_t i = 0; i < before.graph.outputs().size(); ++i) {
    const std::string name = before.graph.outputs()[i]->name();
    INFO(name);
    REQUIRE(after.graph.outputs()[i]->name() == name);
    const Tensor& wanted = expected.at(name);
    const Tensor& got = actual.at(name);
    REQUIRE(got.dims() == wanted.dims());
    const std::vector<float> a = wanted.to_float();
    const std::vector<float> b = got.to_float();
    float largest = 1e-6F;
    float difference = 0.0F;
    for (size_t k = 0; k < a.size(); ++k) {
      largest = std::max(largest, std::abs(a[k]));
      difference = worse(difference, std::abs(a[k] - b[k]));
    }
    CHECK(difference <= tolerance * largest);
  }
}

}  // namespace limbeck::test
