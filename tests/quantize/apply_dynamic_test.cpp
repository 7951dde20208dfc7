#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>

#include "lib/base/error.h"
#include "lib/quantize/emit.h"
#include "lib/quantize/quantize.h"
#include "tests/support/plan_support.h"

using namespace limbeck;
using namespace limbeck::test;

namespace {

/// Plans without any data, as --dynamic does.
Model dynamic(Model& model) {
  PlanOptions options = plain_options();
  options.format = EmitFormat::kDynamic;
  infer_shapes(model);
  return emit_plan(model, make_plan(model, CalibrationTable{}, options)).model;
}

void check_output(const Model& model, const Tensor& x, const std::vector<float>& wanted) {
  const std::vector<float> y = reference_run(model, {{"x", x}}).at("y").to_float();
  REQUIRE(y.size() == wanted.size());
  for (size_t i = 0; i < y.size(); ++i) CHECK(y[i] == Catch::Approx(wanted[i]).epsilon(1e-5));
}

}  // namespace

TEST_CASE("a dynamic Gemm measures its input, multiplies integers and adds the float bias",
          "[quantize]") {
  ModelBuilder builder(13);
  builder.input("x", {1, 2}).output("y").weight("b", floats({0.5F, 1}));
  builder.weight("w", Tensor::from<float>({2, 2}, {1.27F, -1.27F, 2.54F, 0}));
  builder.node("Gemm", {"x", "w", "b"}, {"y"}).with("transB", 1).with("beta", 2.0F);
  Model model = builder.build();
  const Model result = dynamic(model);
  INFO(result.graph.dump());
  // Columns of the transposed weights, with steps 0.01 and 0.02.
  CHECK(constant(result, "w_quantized").to_int64() == std::vector<int64_t>{127, 127, -127, 0});
  CHECK(only_node(result, "MatMulInteger").inputs().size() == 3);
  // The range 0..255 has step one: (100 - 255) * 1.27 + 2 * 0.5 and 100 * 2.54 + 2 * 1.
  check_output(result, Tensor::from<float>({1, 2}, {100, 255}), {-195.85F, 256.0F});
}

TEST_CASE("a dynamic convolution keeps its window and scales every channel by its own step",
          "[quantize]") {
  ModelBuilder builder(13);
  builder.input("x", {1, 1, 1, 3}).output("y").weight("b", floats({1, -1}));
  builder.weight("w", Tensor::from<float>({2, 1, 1, 1}, {1.27F, -2.54F}));
  builder.node("Conv", {"x", "w", "b"}, {"y"}).with("strides", std::vector<int64_t>{1, 2});
  Model model = builder.build();
  const Model result = dynamic(model);
  INFO(result.graph.dump());
  CHECK(only_node(result, "ConvInteger").ints_attribute("strides", {}) ==
        std::vector<int64_t>{1, 2});
  CHECK(constant(result, "w_scale").dims() == Dims{2, 1, 1});
  check_output(result, Tensor::from<float>({1, 1, 1, 3}, {0, 7, 255}), {1, 324.85F, -1, -648.7F});
}

TEST_CASE("two readers of a tensor share one measurement", "[quantize]") {
  ModelBuilder builder(13);
  builder.input("x", {2, 2})
      .output("y")
      .weight("v", noise({2, 2}, 1))
      .weight("w", noise({2, 2}, 2));
  builder.node("MatMul", {"x", "v"}, {"a"});
  builder.node("MatMul", {"x", "w"}, {"b"});
  builder.node("Add", {"a", "b"}, {"y"});
  Model model = builder.build();
  const Model result = dynamic(model);
  CHECK(count_ops(result, "DynamicQuantizeLinear") == 1);
  CHECK(count_ops(result, "MatMulInteger") == 2);
  CHECK(count_ops(result, "MatMul") == 0);
}

TEST_CASE("a dynamic plan leaves transposed convolutions in float and says why", "[quantize]") {
  ModelBuilder builder(13);
  builder.input("x", {1, 1, 2, 2}).output("y").weight("w", noise({1, 1, 2, 2}, 1));
  builder.node("ConvTranspose", {"x", "w"}, {"y"});
  Model model = builder.build();
  PlanOptions options = plain_options();
  options.format = EmitFormat::kDynamic;
  infer_shapes(model);
  const Plan plan = make_plan(model, CalibrationTable{}, options);
  CHECK(plan.nodes.at("n0").reason == "has no dynamic integer form");
  CHECK(count_ops(emit_plan(model, plan).model, "ConvTranspose") == 1);
}

TEST_CASE("4-bit weights have no dynamic form", "[quantize][errors]") {
  ModelBuilder builder(21);
  builder.input("x", {1, 2}).output("y").weight("w", noise({2, 2}, 1));
  builder.node("MatMul", {"x", "w"}, {"y"});
  const Model model = builder.build();
  Plan plan = plan_of_one(*model.graph.nodes().front());
  plan.format = EmitFormat::kDynamic;
  plan.weights.at("n0").type = DataType::kInt4;
  try {
    emit_plan(model, plan);
    FAIL("no error");
  } catch (const Error& error) {
    CHECK(error.category() == Category::kUsage);
    CHECK(std::string(error.what()).find("dynamic quantization needs int8 weights") !=
          std::string::npos);
  }
}
