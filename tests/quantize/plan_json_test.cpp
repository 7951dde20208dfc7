#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>

#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/base/schema.h"
#include "lib/quantize/affine.h"
#include "lib/quantize/quantize.h"
#include "tests/support/paths.h"
#include "tests/support/plan_support.h"

using namespace limbeck;
using namespace limbeck::test;

namespace {

nlohmann::json document() { return parse_json(read_file(fixture("plan_v1.json")), "plan_v1.json"); }

Category category_of(const nlohmann::json& json) {
  try {
    plan_from_json(json, "plan.json");
  } catch (const Error& error) {
    return error.category();
  }
  return Category::kInternal;
}

}  // namespace

TEST_CASE("a plan of version 1 still loads", "[quantize][plan]") {
  const Plan plan = plan_from_json(document(), "plan_v1.json");
  CHECK(plan.format == EmitFormat::kQdq);
  CHECK(plan.correct_bias);
  CHECK(plan.nodes.at("/stem/Conv").integer);
  CHECK_FALSE(plan.nodes.at("/head/Gemm").integer);
  CHECK(plan.activations.at("image").high == Catch::Approx(2.0231));
  CHECK(plan.activations.at("/pool/out").group == "/stem/out");
  CHECK(plan.weights.at("/stem/Conv").type == DataType::kInt8);
  CHECK(plan.weights.at("/stem/Conv").algorithm == "mse");
  CHECK(plan.target.at("device") == "example");
}

TEST_CASE("a plan survives the way to JSON and back", "[quantize][plan]") {
  const Plan plan = plan_from_json(document(), "plan_v1.json");
  const auto first = plan_to_json(plan);
  const auto second = plan_to_json(plan_from_json(nlohmann::json::parse(first.dump()), "copy"));
  CHECK(first.dump() == second.dump());
  CHECK(nlohmann::json::parse(first.dump()) == document());
}

TEST_CASE("what is no plan of a known version is a data error", "[quantize][plan][errors]") {
  CHECK(category_of(nlohmann::json::object()) == Category::kData);
  auto json = document();
  json["version"] = 2;
  CHECK(category_of(json) == Category::kData);
  json = document();
  json["format"] = "gguf";
  CHECK(category_of(json) == Category::kData);
  json = document();
  json["weights"]["/stem/Conv"]["type"] = "int3";
  CHECK(category_of(json) == Category::kData);
  json = document();
  json["activations"]["image"]["hihg"] = 1;
  CHECK(category_of(json) == Category::kData);
}

TEST_CASE("an edited range reaches the emitted model", "[quantize][plan]") {
  ModelBuilder builder(13);
  builder.input("x", {1, 2}).output("y").weight("w", noise({2, 2}, 1));
  builder.node("MatMul", {"x", "w"}, {"y"});
  Model model = builder.build();
  const Plan plan = plan_for(model, {{"x", floats({1, 2}).reshaped({1, 2})}}, plain_options());
  nlohmann::json json = nlohmann::json::parse(plan_to_json(plan).dump());
  json["activations"]["x"]["low"] = 0;
  json["activations"]["x"]["high"] = 51;
  const Model result = emit_plan(model, plan_from_json(json, "edited")).model;
  CHECK(constant(result, "x_scale").to_float()[0] == Catch::Approx(0.2));
  CHECK(constant(result, "x_zero_point").to_int64() == std::vector<int64_t>{0});
}

TEST_CASE("a saved plan tells which form and opset it needs", "[quantize][plan]") {
  Plan plan = plan_from_json(document(), "plan_v1.json");
  CHECK(options_of(plan).activations == DataType::kUint8);
  plan.activations.at("image").type = DataType::kInt16;
  plan.format = EmitFormat::kQOperator;
  CHECK(options_of(plan).activations == DataType::kInt16);
  CHECK(options_of(plan).format == EmitFormat::kQOperator);
  CHECK(format_suffix(plan) == "qoperator");
}
