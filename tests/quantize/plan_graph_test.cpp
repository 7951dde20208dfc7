// What plans decide for small graphs, and what is emitted for them.
#include <catch2/catch_test_macros.hpp>

#include "lib/base/error.h"
#include "lib/quantize/quantize.h"
#include "tests/support/plan_support.h"

using namespace limbeck;
using namespace limbeck::test;

namespace {

const Dims kImage = {1, 2, 4, 4};

/// Two 1x1 convolutions a (nodes n0) and b (n1) of x; `tail` joins them.
ModelBuilder two_branches() {
  ModelBuilder builder(13);
  builder.input("x", kImage).output("y");
  builder.weight("wa", noise({2, 2, 1, 1}, 1)).weight("wb", noise({2, 2, 1, 1}, 2));
  builder.node("Conv", {"x", "wa"}, {"a"});
  builder.node("Conv", {"x", "wb"}, {"b"});
  return builder;
}

struct Planned {
  Model model;
  Plan plan;
};

Planned planned(const ModelBuilder& builder, const PlanOptions& options = plain_options()) {
  Planned result{builder.build(), {}};
  result.plan = plan_for(result.model, {{"x", noise(kImage, 3)}}, options);
  return result;
}

void check_same_range(const Plan& plan, const std::string& a, const std::string& b) {
  INFO(a << " and " << b);
  CHECK(plan.activations.at(a).low == plan.activations.at(b).low);
  CHECK(plan.activations.at(a).high == plan.activations.at(b).high);
}

}  // namespace

TEST_CASE("a residual sum joins the integers and its Relu is the quantizer's saturation",
          "[quantize][plan]") {
  ModelBuilder builder = two_branches();
  builder.node("Add", {"a", "b"}, {"s"});
  builder.node("Relu", {"s"}, {"r"});
  builder.weight("wc", noise({2, 2, 1, 1}, 4)).node("Conv", {"r", "wc"}, {"y"});
  const auto [model, plan] = planned(builder);
  CHECK(plan.nodes.at("n2").integer);
  CHECK(plan.activations.contains("r"));
  CHECK_FALSE(plan.activations.contains("s"));
  CHECK(plan.activations.at("r").low == 0);
  const Model result = emit_plan(model, plan).model;
  INFO(result.graph.dump());
  CHECK(count_ops(result, "Relu") == 0);
  CHECK(only_node(result, "Add").output(0)->uses()[0].node->op_type() == "QuantizeLinear");
}

TEST_CASE("all inputs of a Concat and its result share one range and one pair of parameters",
          "[quantize][plan]") {
  ModelBuilder builder = two_branches();
  builder.node("Concat", {"a", "b"}, {"j"}).with("axis", 1);
  builder.weight("wc", noise({1, 4, 1, 1}, 4)).node("Conv", {"j", "wc"}, {"y"});
  const auto [model, plan] = planned(builder);
  check_same_range(plan, "a", "b");
  check_same_range(plan, "a", "j");
  const Model result = emit_plan(model, plan).model;
  const Node& concat = only_node(result, "Concat");
  const Node* left = concat.input(0)->producer();
  const Node* right = concat.input(1)->producer();
  CHECK(left->input(1) == right->input(1));
  CHECK(left->input(2) == right->input(2));
}

TEST_CASE("MaxPool, Resize and Reshape hand the range of their input on", "[quantize][plan]") {
  ModelBuilder builder(13);
  builder.input("x", kImage).output("y");
  builder.weight("wa", noise({2, 2, 1, 1}, 1)).weight("wb", noise({32, 3}, 2));
  builder.weight("scales", floats({1, 1, 2, 2})).weight("shape", ints({1, 32}));
  builder.node("Conv", {"x", "wa"}, {"a"});
  builder.node("MaxPool", {"a"}, {"p"})
      .with("kernel_shape", std::vector<int64_t>{2, 2})
      .with("strides", std::vector<int64_t>{2, 2});
  builder.node("Resize", {"p", "", "scales"}, {"u"}).with("mode", std::string("nearest"));
  builder.node("Reshape", {"u", "shape"}, {"f"});
  builder.node("MatMul", {"f", "wb"}, {"y"});
  const auto [model, plan] = planned(builder);
  for (const std::string name : {"p", "u", "f"}) check_same_range(plan, "a", name);
}

TEST_CASE("no value is dequantized and quantized again with the same parameters",
          "[quantize][plan]") {
  ModelBuilder builder = two_branches();
  builder.node("Concat", {"a", "b"}, {"j"}).with("axis", 1);
  builder.node("MaxPool", {"j"}, {"p"}).with("kernel_shape", std::vector<int64_t>{2, 2});
  builder.weight("wc", noise({1, 4, 1, 1}, 4)).node("Conv", {"p", "wc"}, {"c"});
  builder.node("Sigmoid", {"c"}, {"y"});
  const auto [model, plan] = planned(builder);
  const Model result = emit_plan(model, plan).model;
  INFO(result.graph.dump());
  size_t pairs = 0;
  for (const auto& node : result.graph.nodes()) {
    if (node->op_type() != "QuantizeLinear") continue;
    ++pairs;
    const Node* before = node->input(0)->producer();
    CHECK((before == nullptr || before->op_type() != "DequantizeLinear"));
  }
  CHECK(pairs == plan.activations.size());
}

TEST_CASE("a node glob leaves what it matches in float", "[quantize][plan]") {
  ModelBuilder builder = two_branches();
  builder.node("Add", {"a", "b"}, {"y"});
  PlanOptions options = plain_options();
  options.overrides = {parse_override("node:n[12]=float")};
  const auto [model, plan] = planned(builder, options);
  CHECK(plan.nodes.at("n0").integer);
  CHECK_FALSE(plan.nodes.at("n1").integer);
  CHECK(plan.nodes.at("n1").reason == "set by the user: n[12]");
  CHECK_FALSE(plan.weights.contains("n1"));
  const Model result = emit_plan(model, plan).model;
  for (const auto& node : result.graph.nodes()) {
    if (node->name() == "n1") CHECK(node->input(1)->constant() != nullptr);
  }
}

TEST_CASE("a node glob gives one layer 4-bit weights", "[quantize][plan]") {
  ModelBuilder builder = two_branches();
  builder.node("Add", {"a", "b"}, {"y"});
  PlanOptions options = plain_options();
  options.overrides = {parse_override("node:n1=int4")};
  const Plan plan = planned(builder, options).plan;
  CHECK(plan.weights.at("n0").type == DataType::kInt8);
  CHECK(plan.weights.at("n1").type == DataType::kInt4);
  CHECK(options_of(plan).weights == DataType::kInt4);
}

TEST_CASE("a tensor glob chooses the observer of what it matches", "[quantize][plan]") {
  ModelBuilder builder = two_branches();
  builder.node("Add", {"a", "b"}, {"y"});
  PlanOptions options = plain_options();
  options.overrides = {parse_override("tensor:[ab]=percentile"), parse_override("tensor:b=mse")};
  const Plan plan = planned(builder, options).plan;
  CHECK(plan.activations.at("x").observer == "minmax");
  CHECK(plan.activations.at("a").observer == "percentile");
  CHECK(plan.activations.at("b").observer == "mse");  // the last one that matches counts
}

TEST_CASE("an override that matches nothing, or is not one, is a usage error",
          "[quantize][plan][errors]") {
  ModelBuilder builder = two_branches();
  builder.node("Add", {"a", "b"}, {"y"});
  PlanOptions options = plain_options();
  options.overrides = {parse_override("node:stem/*=float")};
  const auto category = [](const auto& action) {
    try {
      action();
    } catch (const Error& error) {
      return error.category();
    }
    return Category::kInternal;
  };
  CHECK(category([&] { planned(builder, options); }) == Category::kUsage);
  for (const char* text : {"n0=float", "node:n0", "node:n0=int5", "tensor:x=guess", "edge:x=float"})
    CHECK(category([&] { parse_override(text); }) == Category::kUsage);
}

TEST_CASE("a Gemm whose bias is a matrix stays in float", "[quantize][plan]") {
  ModelBuilder builder(13);
  builder.input("x", {2, 2}).output("y");
  builder.weight("w", noise({2, 2}, 1)).weight("b", noise({2, 2}, 2));
  builder.node("Gemm", {"x", "w", "b"}, {"y"});
  Model model = builder.build();
  const Plan plan = plan_for(model, {{"x", noise({2, 2}, 3)}}, plain_options());
  CHECK(plan.nodes.at("n0").reason == "bias is not one number a channel");
}
