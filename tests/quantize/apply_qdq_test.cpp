#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>
#include <set>
#include <string>

#include "lib/base/error.h"
#include "lib/ops/op.h"
#include "lib/quantize/apply.h"
#include "tests/support/plan_support.h"

using namespace limbeck;
using namespace limbeck::test;

namespace {

using Codes = std::vector<int64_t>;

Tensor shaped(const Dims& dims, const std::vector<float>& values) {
  return Tensor::from<float>(dims, values);
}

void check_scales(const Model& model, const std::string& name, const std::vector<float>& wanted) {
  const std::vector<float> scales = constant(model, name).to_float();
  REQUIRE(scales.size() == wanted.size());
  for (size_t i = 0; i < wanted.size(); ++i) CHECK(scales[i] == Catch::Approx(wanted[i]));
}

/// y = n0(x, w, b) with weights whose channels reach 1.27 and 2.54: steps 0.01 and 0.02.
Model weighted_model(const std::string& op, const Dims& x, const Dims& w,
                     const std::vector<float>& weights, bool bias) {
  ModelBuilder builder(13);
  builder.input("x", x).output("y").weight("w", shaped(w, weights));
  if (bias) builder.weight("b", floats({3, -1}));
  const std::vector<std::string> inputs =
      bias ? std::vector<std::string>{"x", "w", "b"} : std::vector<std::string>{"x", "w"};
  builder.node(op, inputs, {"y"});
  Model model = builder.build();
  infer_shapes(model);
  return model;
}

Model applied_alone(const Model& model) {
  return apply_plan(model, plan_of_one(*model.graph.nodes().front())).model;
}

}  // namespace

TEST_CASE(
    "a convolution's weights get one step an output channel, its bias int32 steps of input "
    "times weight",
    "[quantize]") {
  const Model model = weighted_model("Conv", {1, 1, 1, 1}, {2, 1, 1, 1}, {1.27F, -2.54F}, true);
  const Model result = applied_alone(model);
  CHECK(constant(result, "w_quantized").to_int64() == Codes{127, -127});
  CHECK(constant(result, "w_quantized").type() == DataType::kInt8);
  check_scales(result, "w_scale", {0.01F, 0.02F});
  CHECK(constant(result, "b_quantized").type() == DataType::kInt32);
  CHECK(constant(result, "b_quantized").to_int64() == Codes{300, -50});
  check_scales(result, "b_scale", {0.01F, 0.02F});
  CHECK(result.graph.find("w_dequantized")->producer()->int_attribute("axis", -1) == 0);
  CHECK(constant(result, "x_scale").to_float() == std::vector<float>{1.0F});
}

TEST_CASE("a transposed convolution's channels lie on axis 1", "[quantize]") {
  const Model model =
      weighted_model("ConvTranspose", {1, 2, 1, 1}, {2, 2, 1, 1}, {1.27F, 2.54F, 0, -2.54F}, true);
  const Model result = applied_alone(model);
  CHECK(constant(result, "w_quantized").to_int64() == Codes{127, 127, 0, -127});
  check_scales(result, "w_scale", {0.01F, 0.02F});
  CHECK(result.graph.find("w_dequantized")->producer()->int_attribute("axis", -1) == 1);
}

TEST_CASE("groups of a transposed convolution share weight steps and keep their own bias",
          "[quantize]") {
  ModelBuilder builder(13);
  builder.input("x", {1, 2, 1, 1}).output("y");
  builder.weight("w", shaped({2, 1, 1, 1}, {1.27F, -0.635F})).weight("b", floats({3, -1}));
  builder.node("ConvTranspose", {"x", "w", "b"}, {"y"}).with("group", 2);
  Model model = builder.build();
  infer_shapes(model);
  const Model result = applied_alone(model);
  check_scales(result, "w_scale", {0.01F});
  CHECK(constant(result, "b_quantized").to_int64() == Codes{300, -100});
  check_scales(result, "b_scale", {0.01F, 0.01F});
}

TEST_CASE("a Gemm's channels are columns, or rows when B is transposed", "[quantize]") {
  const Model plain = weighted_model("Gemm", {1, 2}, {2, 2}, {1.27F, 2.54F, 0, -2.54F}, true);
  const Model result = applied_alone(plain);
  CHECK(constant(result, "w_quantized").to_int64() == Codes{127, 127, 0, -127});
  CHECK(constant(result, "b_quantized").to_int64() == Codes{300, -50});

  ModelBuilder builder(13);
  builder.input("x", {1, 2}).output("y").weight("w", shaped({2, 2}, {1.27F, 0, 2.54F, -2.54F}));
  builder.node("Gemm", {"x", "w"}, {"y"}).with("transB", 1).with("alpha", 2.0F);
  Model transposed = builder.build();
  infer_shapes(transposed);
  const Model rows = applied_alone(transposed);
  CHECK(constant(rows, "w_folded_quantized").to_int64() == Codes{127, 0, 127, -127});
  check_scales(rows, "w_folded_scale", {0.02F, 0.04F});  // alpha doubles the steps
}

TEST_CASE("a MatMul's channels are the last axis", "[quantize]") {
  const Model model = weighted_model("MatMul", {1, 2}, {2, 2}, {1.27F, 2.54F, 0, -2.54F}, false);
  const Model result = applied_alone(model);
  check_scales(result, "w_scale", {0.01F, 0.02F});
  CHECK(result.graph.find("w_dequantized")->producer()->int_attribute("axis", -1) == 1);
}

TEST_CASE("4-bit weights use codes -7 to 7, two a byte", "[quantize]") {
  const Model model = weighted_model("MatMul", {1, 2}, {2, 2}, {0.7F, 1.4F, 0.1F, -1.4F}, false);
  Plan plan = plan_of_one(*model.graph.nodes().front());
  plan.weights.at("n0").type = DataType::kInt4;
  const Model result = apply_plan(model, plan).model;
  CHECK(constant(result, "w_quantized").type() == DataType::kInt4);
  CHECK(constant(result, "w_quantized").to_int64() == Codes{7, 7, 1, -7});
  CHECK(constant(result, "w_quantized").raw()[0] == std::byte{0x77});
  CHECK(constant(result, "w_quantized").raw()[1] == std::byte{0x91});
}

TEST_CASE("uint8 weights hold the int8 codes, 128 higher", "[quantize]") {
  const Model model = weighted_model("Conv", {1, 1, 1, 1}, {2, 1, 1, 1}, {1.27F, -2.54F}, true);
  Plan plan = plan_of_one(*model.graph.nodes().front());
  plan.weights.at("n0").type = DataType::kUint8;
  CHECK(code_limit(plan.weights.at("n0")) == 127);
  const Model result = apply_plan(model, plan).model;
  CHECK(constant(result, "w_quantized").type() == DataType::kUint8);
  CHECK(constant(result, "w_quantized").to_int64() == Codes{255, 1});
  CHECK(constant(result, "w_zero_point").to_int64() == Codes{128, 128});
  check_scales(result, "w_scale", {0.01F, 0.02F});
  CHECK(constant(result, "b_quantized").to_int64() == Codes{300, -50});
}

TEST_CASE("a channel of zeros takes a step at which its bias is exact enough", "[quantize]") {
  const Model model = weighted_model("Conv", {1, 1, 1, 1}, {2, 1, 1, 1}, {1.27F, 0}, true);
  const Model result = applied_alone(model);
  CHECK(constant(result, "w_quantized").to_int64() == Codes{127, 0});
  CHECK(constant(result, "b_quantized").to_int64() == Codes{300, -65536});
}

TEST_CASE("nodes that share their weights get nodes of distinct names", "[quantize]") {
  ModelBuilder builder(13);
  builder.input("x", {2, 2}).output("y").weight("w", noise({2, 2}, 1));
  builder.node("MatMul", {"x", "w"}, {"a"});
  builder.node("MatMul", {"a", "w"}, {"y"});
  Model model = builder.build();
  const Plan plan = plan_for(model, {{"x", noise({2, 2}, 2)}}, plain_options());
  const Model result = apply_plan(model, plan).model;
  std::set<std::string> names;
  for (const auto& node : result.graph.nodes()) names.insert(node->name());
  CHECK(count_ops(result, "DequantizeLinear") >= 4);
  CHECK(names.size() == result.graph.nodes().size());
}

TEST_CASE("a plan that names what the model lacks is a usage error", "[quantize][errors]") {
  const Model model = weighted_model("MatMul", {1, 2}, {2, 2}, {1, 2, 3, 4}, false);
  const Plan good = plan_of_one(*model.graph.nodes().front());
  const auto message = [&](const Plan& plan) {
    try {
      apply_plan(model, plan);
    } catch (const Error& error) {
      CHECK(error.category() == Category::kUsage);
      return std::string(error.what());
    }
    return std::string("no error");
  };
  Plan plan = good;
  plan.activations["ghost"] = plan.activations.at("x");
  CHECK(message(plan).find("plan tensor 'ghost'") != std::string::npos);
  plan = good;
  plan.nodes["ghost"] = {"Conv", true, ""};
  CHECK(message(plan).find("plan node 'ghost'") != std::string::npos);
  plan = good;
  plan.weights["ghost"] = plan.weights.at("n0");
  CHECK(message(plan).find("plan node 'ghost'") != std::string::npos);
  plan = good;
  plan.weights.at("n0").axis = 2;
  CHECK(message(plan).find("the channel axis must lie inside 2x2") != std::string::npos);
  plan = good;
  plan.activations.erase("x");
  CHECK(message(plan).find("'x' is not") != std::string::npos);
}
