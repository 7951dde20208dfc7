// Which layers of one plan keep 8 bits.
#include <catch2/catch_test_macros.hpp>
#include <cmath>

#include "lib/base/error.h"
#include "lib/quantize/affine.h"
#include "lib/quantize/quantize.h"
#include "tests/support/plan_support.h"

using namespace limbeck;
using namespace limbeck::test;

namespace {

/// Convolutions n0, n3, n7 with a residual sum (n4) of both first ones and a pool in front of the
/// last: x -> n0 -> a -> r -> n3 -> b;  b + r -> s -> t -> pool p -> n7 -> y.
Model residual_model() {
  ModelBuilder builder(21);
  builder.input("x", {1, 2, 4, 4}).output("y");
  for (const std::string name : {"w0", "w1", "w2", "w3"})
    builder.weight(name, noise({2, 2, 1, 1}, static_cast<unsigned>(name[1])));
  builder.node("Conv", {"x", "w0"}, {"a"});
  builder.node("Relu", {"a"}, {"r"});
  builder.node("Conv", {"r", "w1"}, {"b"});
  builder.node("Conv", {"b", "w2"}, {"d"});
  builder.node("Add", {"d", "r"}, {"s"});
  builder.node("Relu", {"s"}, {"t"});
  builder.node("MaxPool", {"t"}, {"p"}).with("kernel_shape", std::vector<int64_t>{2, 2});
  builder.node("Conv", {"p", "w3"}, {"y"});
  return builder.build();
}

Plan planned(const PlanOptions& options) {
  Model model = residual_model();
  return plan_for(model, {{"x", noise({1, 2, 4, 4}, 3)}}, options);
}

PlanOptions narrow(bool activations) {
  PlanOptions options = plain_options();
  options.weights = DataType::kInt4;
  options.keep_ends = true;
  if (activations) options.activations = DataType::kUint4;
  return options;
}

}  // namespace

TEST_CASE("the first and the last weighted layer keep 8 bits and the plan says why",
          "[quantize][plan]") {
  const Plan plan = planned(narrow(false));
  CHECK(plan.weights.at("n0").type == DataType::kInt8);
  CHECK(plan.weights.at("n0").reason == "8 bits: the first weighted layer");
  CHECK(plan.weights.at("n2").type == DataType::kInt4);
  CHECK(plan.weights.at("n3").type == DataType::kInt4);
  CHECK(plan.weights.at("n7").type == DataType::kInt8);
  CHECK(plan.weights.at("n7").reason == "8 bits: the last weighted layer");
}

TEST_CASE("what the user set stays, first layer or not", "[quantize][plan]") {
  PlanOptions options = narrow(false);
  options.overrides = {parse_override("node:n0=int4")};
  CHECK(planned(options).weights.at("n0").type == DataType::kInt4);
}

TEST_CASE("4-bit activations are the operands of inner weighted layers", "[quantize][plan]") {
  const Plan plan = planned(narrow(true));
  const auto type = [&](const std::string& name) { return plan.activations.at(name).type; };
  CHECK(type("x") == DataType::kUint8);
  CHECK(plan.activations.at("x").reason.ends_with("; 8 bits: the first weighted layer reads it"));
  CHECK(type("r") == DataType::kUint4);
  CHECK(type("b") == DataType::kUint4);
  CHECK(type("d") == DataType::kUint8);
  CHECK(plan.activations.at("d").reason.ends_with("; 8 bits: no weighted layer reads it"));
  // One scale for the pool's input and its result, which the last layer reads.
  CHECK(type("p") == DataType::kUint8);
  CHECK(type("t") == DataType::kUint8);
  CHECK(type("y") == DataType::kUint8);
}

TEST_CASE("4-bit activations are written as UINT4 with 16 codes", "[quantize]") {
  Model model = residual_model();
  const NamedTensors inputs = {{"x", noise({1, 2, 4, 4}, 3)}};
  const Plan plan = plan_for(model, inputs, narrow(true));
  const Model result = emit_plan(model, plan).model;
  CHECK(constant(result, "r_zero_point").type() == DataType::kUint4);
  CHECK(constant(result, "r_zero_point").to_int64() == std::vector<int64_t>{0});
  const float high = plan.activations.at("r").high;
  CHECK(constant(result, "r_scale").to_float()[0] == high / 15);
  CHECK(options_of(plan).activations == DataType::kUint4);
  CHECK(format_suffix(plan) == "mixed");
}

TEST_CASE("weights of 2 bits have the codes -1, 0 and 1 and are stored in INT4", "[quantize]") {
  PlanOptions options = plain_options();
  options.weights = DataType::kInt4;
  options.weight_limit = 1;
  Model model = residual_model();
  const Plan plan = plan_for(model, {{"x", noise({1, 2, 4, 4}, 3)}}, options);
  CHECK(weight_bits(plan.weights.at("n2")) == 2);
  CHECK(format_suffix(plan) == "w2a8");
  const Model result = emit_plan(model, plan).model;
  const Tensor& codes = constant(result, "w1_quantized");
  CHECK(codes.type() == DataType::kInt4);
  for (const int64_t code : codes.to_int64()) CHECK(std::abs(code) <= 1);
  const Plan copy = plan_from_json(nlohmann::json::parse(plan_to_json(plan).dump()), "copy");
  CHECK(copy.weights.at("n2").limit == 1);
}

TEST_CASE("a limit that the type has no code for is a data error", "[quantize][plan][errors]") {
  nlohmann::json json = nlohmann::json::parse(plan_to_json(planned(narrow(false))).dump());
  json["weights"]["n2"]["limit"] = 8;
  try {
    plan_from_json(json, "plan.json");
    FAIL("no error");
  } catch (const Error& error) {
    CHECK(error.category() == Category::kData);
    CHECK(std::string(error.what()).find("the limit must be a code of the type, at most 7") !=
          std::string::npos);
  }
}

TEST_CASE("the step of 2-bit weights with the least error ignores the tail", "[quantize]") {
  // Codes -1, 0, 1. A step of 3, the largest magnitude, rounds the twelve ones to zero: error 12.
  // The mean of the magnitudes, 15 / 13, has the error 12 / 169 * 4 + (24 / 13)^2 = 3.69.
  const Tensor weights =
      Tensor::from<float>({1, 13}, {1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 3});
  CHECK(std::fabs(channel_scales(weights, 0, 1, true).at(0) - 15.0F / 13) < 1e-6F);
}
