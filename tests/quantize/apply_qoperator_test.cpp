#include <catch2/catch_test_macros.hpp>
#include <cmath>

#include "lib/base/error.h"
#include "lib/quantize/emit.h"
#include "lib/quantize/quantize.h"
#include "tests/support/plan_support.h"
#include "tests/support/worst.h"

using namespace limbeck;
using namespace limbeck::test;

namespace {

/// Convolution, Relu, max pooling, a residual sum, a concatenation, global pooling and a Gemm.
Model small_network() {
  ModelBuilder builder(13);
  builder.input("x", {1, 2, 4, 4}).output("y");
  builder.weight("w1", noise({4, 2, 3, 3}, 1)).weight("b1", noise({4}, 2));
  builder.weight("w2", noise({4, 4, 1, 1}, 3)).weight("b2", noise({4}, 4));
  builder.weight("w3", noise({3, 8}, 5)).weight("b3", noise({3}, 6));
  builder.node("Conv", {"x", "w1", "b1"}, {"c1"}).with("pads", std::vector<int64_t>{1, 1, 1, 1});
  builder.node("Relu", {"c1"}, {"r1"});
  builder.node("MaxPool", {"r1"}, {"p1"}).with("kernel_shape", std::vector<int64_t>{2, 2});
  builder.node("Conv", {"p1", "w2", "b2"}, {"c2"});
  builder.node("Add", {"c2", "p1"}, {"s"});
  builder.node("Concat", {"s", "p1"}, {"j"}).with("axis", 1);
  builder.node("Conv", {"j", "w4"}, {"c4"}).with("group", 8);
  builder.weight("w4", noise({8, 1, 1, 1}, 7));
  builder.node("GlobalAveragePool", {"c4"}, {"g"});
  builder.node("Flatten", {"g"}, {"f"});
  builder.node("Gemm", {"f", "w3", "b3"}, {"y"}).with("transB", 1);
  return builder.build();
}

float largest_difference(const Tensor& a, const Tensor& b) {
  const std::vector<float> left = a.to_float();
  const std::vector<float> right = b.to_float();
  REQUIRE(left.size() == right.size());
  float largest = 0;
  for (size_t i = 0; i < left.size(); ++i) largest = worse(largest, std::fabs(left[i] - right[i]));
  return largest;
}

}  // namespace

TEST_CASE("QOperator form holds integer operators and no float ones", "[quantize]") {
  Model model = small_network();
  const NamedTensors inputs = {{"x", noise({1, 2, 4, 4}, 9)}};
  const Plan plan = plan_for(model, inputs, plain_options());
  AppliedPlan applied = apply_plan(model, plan);
  to_qoperator(&applied);
  const Model& result = applied.model;
  INFO(result.graph.dump());
  CHECK(count_ops(result, "QLinearConv") == 3);
  CHECK(count_ops(result, "Conv") == 0);
  CHECK(count_ops(result, "Relu") == 0);
  // The joined range reaches below zero, so the Relu stays, as a clamp of codes.
  CHECK(only_node(result, "Clip").input(0)->type == DataType::kUint8);
  CHECK(only_node(result, "QLinearAdd").domain() == "com.microsoft");
  CHECK(only_node(result, "QLinearConcat").inputs().size() == 8);
  CHECK(only_node(result, "QLinearGlobalAveragePool").domain() == "com.microsoft");
  CHECK(only_node(result, "MaxPool").input(0)->type == DataType::kUint8);
  CHECK(only_node(result, "Flatten").input(0)->type == DataType::kUint8);
  CHECK(only_node(result, "QGemm").inputs().size() == 7);  // no output step: the result is float
  CHECK(only_node(result, "QuantizeLinear").input(0)->name() == "x");
  CHECK(count_ops(result, "DequantizeLinear") == 0);
  CHECK(result.opset("com.microsoft") == 1);
  CHECK(result.graph.outputs()[0]->name() == "y");
}

TEST_CASE("QOperator form computes what the QDQ form computes", "[quantize]") {
  Model model = small_network();
  const NamedTensors inputs = {{"x", noise({1, 2, 4, 4}, 9)}};
  Plan plan = plan_for(model, inputs, plain_options());
  const Model qdq = emit_plan(model, plan).model;
  plan.format = EmitFormat::kQOperator;
  const Model operators = emit_plan(model, plan).model;
  const NamedTensors left = reference_run(qdq, inputs);
  const NamedTensors right = reference_run(operators, inputs);
  for (const char* name : {"r1_quantized", "p1_quantized", "s_quantized", "f_quantized"}) {
    INFO(name);
    CHECK(largest_difference(left.at(name), right.at(name)) <= 1);  // a tie may round otherwise
  }
  CHECK(largest_difference(left.at("y"), right.at("y")) < 0.05F);
}

TEST_CASE("QLinearConv carries the bias in steps of input times weight", "[quantize]") {
  ModelBuilder builder(13);
  builder.input("x", {1, 1, 1, 1}).output("y");
  builder.weight("w", Tensor::from<float>({1, 1, 1, 1}, {1.27F})).weight("b", floats({3}));
  builder.node("Conv", {"x", "w", "b"}, {"y"}).with("strides", std::vector<int64_t>{2, 2});
  const Model model = builder.build();
  Plan plan = plan_of_one(*model.graph.nodes().front());
  plan.activations.at("y") = {DataType::kUint8, false, 0, 510, "minmax", "", "test"};
  plan.format = EmitFormat::kQOperator;
  const Model result = emit_plan(model, plan).model;
  const Node& conv = only_node(result, "QLinearConv");
  CHECK(conv.input(8)->constant()->to_int64() == std::vector<int64_t>{300});
  CHECK(conv.ints_attribute("strides", {}) == std::vector<int64_t>{2, 2});
  // 100 * 1.27 + 3 = 130, which is 65 steps of 2.
  const auto outputs = reference_run(result, {{"x", Tensor::from<float>({1, 1, 1, 1}, {100})}});
  CHECK(outputs.at("y").to_float() == std::vector<float>{130.0F});
}

TEST_CASE("16-bit activations have no QOperator form", "[quantize][errors]") {
  ModelBuilder builder(21);
  builder.input("x", {1, 2}).output("y").weight("w", noise({2, 2}, 1));
  builder.node("MatMul", {"x", "w"}, {"y"});
  const Model model = builder.build();
  Plan plan = plan_of_one(*model.graph.nodes().front());
  plan.format = EmitFormat::kQOperator;
  plan.activations.at("x").type = DataType::kUint16;
  try {
    emit_plan(model, plan);
    FAIL("no error");
  } catch (const Error& error) {
    CHECK(error.category() == Category::kUsage);
    CHECK(std::string(error.what()).find("it needs 8-bit activations and weights") !=
          std::string::npos);
  }
}

TEST_CASE("QOperator form keeps every layer of the QDQ form for comparison", "[quantize]") {
  Model model = small_network();
  const NamedTensors inputs = {{"x", noise({1, 2, 4, 4}, 9)}};
  Plan plan = plan_for(model, inputs, plain_options());
  const auto of_qdq = emit_plan(model, plan).layers;
  plan.format = EmitFormat::kQOperator;
  const AppliedPlan operators = emit_plan(model, plan);
  REQUIRE(operators.layers.size() == of_qdq.size());
  for (size_t i = 0; i < of_qdq.size(); ++i) {
    INFO(operators.layers[i].first << " is " << operators.layers[i].second);
    CHECK(operators.layers[i].first == of_qdq[i].first);
    CHECK(operators.model.graph.find(operators.layers[i].second) != nullptr);
  }
  CHECK(operators.layers.front() == std::pair<std::string, std::string>{"x", "x_quantized"});
  CHECK(operators.layers.back() == std::pair<std::string, std::string>{"f", "f_quantized"});
}
