#include "lib/quantize/training_graph.h"

#include <catch2/catch_test_macros.hpp>
#include <cmath>

#include "lib/autodiff/tape.h"
#include "lib/quantize/quantize.h"
#include "tests/support/plan_support.h"

using namespace limbeck;
using namespace limbeck::test;

namespace {

using Floats = std::vector<float>;

/// Two convolutions with `activation` in between, and a Gemm.
ModelBuilder network(const std::string& activation) {
  ModelBuilder builder(21);
  builder.input("x", {-1, 2, 4, 4}).output("y");
  builder.weight("w0", noise({3, 2, 3, 3}, 1)).weight("b0", noise({3}, 2));
  builder.weight("w1", noise({4, 3, 1, 1}, 3)).weight("b1", noise({4}, 4));
  builder.weight("low", Tensor::scalar(0.0F)).weight("high", Tensor::scalar(0.5F));
  builder.node("Conv", {"x", "w0", "b0"}, {"c"}).with("pads", std::vector<int64_t>{1, 1, 1, 1});
  if (activation == "Clip")
    builder.node("Clip", {"c", "low", "high"}, {"r"});
  else
    builder.node("Relu", {"c"}, {"r"});
  builder.node("Conv", {"r", "w1", "b1"}, {"y"});
  return builder;
}

struct Prepared {
  Model model;
  Plan plan;
  TrainingGraph graph;
};

Prepared prepared(const std::string& activation, PlanOptions options = plain_options()) {
  Prepared result{network(activation).build(), {}, {}};
  result.plan = plan_for(result.model, {{"x", noise({2, 2, 4, 4}, 5)}}, options);
  result.graph = training_graph(result.model, result.plan);
  return result;
}

const LearnedStep& step_of(const TrainingGraph& graph, const std::string& owner) {
  for (const LearnedStep& step : graph.steps)
    if (step.owner == owner) return step;
  FAIL(owner);
  return graph.steps.front();
}

/// The step's value in the graph for these exponents.
Floats computed(const TrainingGraph& graph, const LearnedStep& step, const Floats& exponents) {
  TrainOptions options;
  options.trainable = {step.exponent};
  options.taps = {step.step};
  const auto tape = Tape::compile(graph.model, options);
  REQUIRE(tape->parameters().size() == 1);
  const Tensor values = Tensor::from<float>(tape->parameters()[0].initial.dims(), exponents);
  const Tensor x = noise({1, 2, 4, 4}, 6);
  return tape->forward({&values, 1}, {&x, 1}, 1).outputs.back().to_float();
}

}  // namespace

TEST_CASE("the training graph computes what the emitted graph computes", "[quantize][qat]") {
  for (const DataType type : {DataType::kInt8, DataType::kInt4}) {
    PlanOptions options = plain_options();
    options.weights = type;
    const Prepared p = prepared("Relu", options);
    // Biases of the emitted graph are rounded to steps of input times weight, which may move an
    // output by one of its steps: 1 / 255 of a range of up to twice the largest output.
    check_same_outputs(emit_plan(p.model, p.plan).model, p.graph.model,
                       {{"x", noise({2, 2, 4, 4}, 5)}}, 0.008F);
  }
}

TEST_CASE("weights stay in float behind their codes, and biases alone", "[quantize][qat]") {
  PlanOptions options = plain_options();
  options.weights = DataType::kInt4;
  options.weight_limit = 1;
  const Prepared p = prepared("Relu", options);
  const Graph& graph = p.graph.model.graph;
  INFO(graph.dump());
  const Node* dequantize = graph.find("w0_dequantized")->producer();
  const Node* clip = dequantize->input(0)->producer();
  REQUIRE(clip->op_type() == "Clip");
  CHECK(clip->input(1)->constant()->to_int64() == std::vector<int64_t>{-1});
  CHECK(clip->input(2)->constant()->to_int64() == std::vector<int64_t>{1});
  const Node* quantize = clip->input(0)->producer();
  CHECK(quantize->input(0)->name() == "w0");
  CHECK(quantize->input(1) == dequantize->input(1));
  CHECK(constant(p.graph.model, "w0").to_float() == constant(p.model, "w0").to_float());
  CHECK(constant(p.graph.model, "b0").to_float() == constant(p.model, "b0").to_float());
}

TEST_CASE("rates are the fourth root of LSQ's gradient scale, in units of the step",
          "[quantize][qat]") {
  const Prepared p = prepared("Relu");
  // x: 2 * 4 * 4 numbers a sample; 255 codes, of which the larger part lies on one side of zero.
  const LearnedStep& x = step_of(p.graph, "x");
  const auto zero = static_cast<double>(constant(p.graph.model, "x_zero_point").to_int64()[0]);
  const double largest = std::max(255 - zero, zero);
  CHECK(std::fabs(x.rate[0] * x.initial[0] - std::pow(32 * largest, -0.25)) < 1e-6);
  CHECK_FALSE(x.is_weight);
  // w0: 2 * 3 * 3 weights a channel.
  const LearnedStep& w = step_of(p.graph, "n0");
  CHECK(w.is_weight);
  REQUIRE(w.initial.size() == 3);
  for (size_t i = 0; i < 3; ++i)
    CHECK(std::fabs(w.rate[i] * w.initial[i] - std::pow(18 * 127.0, -0.25)) < 1e-6);
}

TEST_CASE("steps are the graph's bits, and stay finite and above zero", "[quantize][qat]") {
  const Prepared p = prepared("Relu");
  for (const LearnedStep& step : p.graph.steps) {
    INFO(step.owner);
    const Floats start(step.initial.size(), 0);
    CHECK(computed(p.graph, step, start) == step.initial);
    for (const float exponent : {-3e38F, -1e9F, -0.7F, 0.013F, 2.5F, 1e9F, 3e38F}) {
      const Floats exponents(step.initial.size(), exponent);
      const Floats values = step.values(floats(exponents));
      CHECK(computed(p.graph, step, exponents) == values);
      for (size_t i = 0; i < values.size(); ++i) {
        CHECK(std::isfinite(values[i]));
        CHECK(values[i] > step.initial[i] / 3000);
        CHECK(values[i] < step.initial[i] * 3000);
      }
    }
  }
}

TEST_CASE("a Relu is the quantizer's saturation, a Clip stays where its bound may count",
          "[quantize][qat]") {
  const Prepared relu = prepared("Relu");
  CHECK(count_ops(relu.graph.model, "Relu") == 0);
  const Prepared clip = prepared("Clip");
  const auto clamps_c = [](const Model& model) {
    const Value* c = model.graph.find("c");
    return c != nullptr && c->uses().size() == 1 && c->uses()[0].node->op_type() == "Clip";
  };
  CHECK_FALSE(clamps_c(emit_plan(clip.model, clip.plan).model));
  CHECK(clamps_c(clip.graph.model));
}

TEST_CASE("tensors that share a scale share one learned step", "[quantize][qat]") {
  ModelBuilder builder(13);
  builder.input("x", {1, 2, 4, 4}).output("y");
  builder.weight("wa", noise({2, 2, 1, 1}, 1)).weight("wb", noise({2, 2, 1, 1}, 2));
  builder.node("Conv", {"x", "wa"}, {"a"});
  builder.node("MaxPool", {"a"}, {"p"}).with("kernel_shape", std::vector<int64_t>{2, 2});
  builder.node("Conv", {"p", "wb"}, {"y"});
  Model model = builder.build();
  const Plan plan = plan_for(model, {{"x", noise({1, 2, 4, 4}, 3)}}, plain_options());
  const TrainingGraph graph = training_graph(model, plan);
  CHECK(graph.steps.size() == 2 + 3);  // weights; x, a with p, y
  const Value* a = graph.model.graph.find("a_dequantized");
  const Value* p = graph.model.graph.find("p_dequantized");
  CHECK(a->producer()->input(1) == p->producer()->input(1));
  CHECK(a->producer()->input(1)->name() == step_of(graph, "a").step);
}

TEST_CASE("steps given to apply_plan take the place of the plan's", "[quantize][qat]") {
  const Prepared p = prepared("Relu");
  KnownSteps steps;
  steps.activations["x"] = 0.25F;
  steps.weights["n0"] = {1, 2, 4};
  const Model result = apply_plan(p.model, p.plan, {}, steps).model;
  CHECK(constant(result, "x_scale").to_float() == Floats{0.25F});
  CHECK(constant(result, "w0_scale").to_float() == Floats{1, 2, 4});
  CHECK(constant(result, "b0_scale").to_float() == Floats{0.25F, 0.5F, 1});
  CHECK(constant(result, "r_scale").to_float() ==
        constant(apply_plan(p.model, p.plan).model, "r_scale").to_float());
}
