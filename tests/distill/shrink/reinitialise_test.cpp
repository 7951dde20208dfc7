// Start values of a network as if it had never been trained.
#include "lib/distill/shrink/reinitialise.h"

#include <catch2/catch_test_macros.hpp>
#include <cmath>

#include "lib/base/file.h"
#include "lib/engine/engine.h"
#include "tests/distill/shrink/shrink_support.h"
#include "tests/support/paths.h"

using namespace limbeck;
using namespace limbeck::test;

namespace {

std::vector<float> constant_values(const Model& model, const std::string& name) {
  const Value* value = model.graph.find(name);
  REQUIRE(value != nullptr);
  return value->constant()->to_float();
}

double variance_of(const std::vector<float>& values) {
  double square = 0;
  for (const float value : values) square += static_cast<double>(value) * value;
  return square / static_cast<double>(values.size());
}

ModelBuilder wide_model() {
  ModelBuilder builder(17);
  builder.input("image", {-1, 8, 6, 6});
  add_filters(builder, "a", {64, 8, 3, 3}, 1, {});
  builder.weight("fc.w", noise({64, 100}, 2)).weight("fc.b", noise({100}, 3));
  add_conv(builder, "image", "a", "x");
  builder.node("Relu", {"x"}, {"r"});
  builder.node("GlobalAveragePool", {"r"}, {"g"});
  builder.node("Flatten", {"g"}, {"flat"});
  builder.node("Gemm", {"flat", "fc.w", "fc.b"}, {"logits"});
  builder.output("logits");
  return builder;
}

}  // namespace

TEST_CASE("weights start with the variance of two over the fan-in", "[distill][shrink]") {
  const Model model = reinitialise(wide_model().build(), 1);
  // 4608 and 6400 draws: the variance is met within 3 standard errors, 3 * sqrt(2 / n) = 6 %.
  CHECK(std::fabs(variance_of(constant_values(model, "a.w")) * 72 / 2 - 1) < 0.06);
  CHECK(std::fabs(variance_of(constant_values(model, "fc.w")) * 64 / 2 - 1) < 0.06);
  for (const float value : constant_values(model, "fc.b")) CHECK(value == 0);
}

TEST_CASE("a seed names the same start values, another one others", "[distill][shrink]") {
  const Model teacher = wide_model().build();
  const auto first = constant_values(reinitialise(teacher, 1), "a.w");
  CHECK(first == constant_values(reinitialise(teacher, 1), "a.w"));
  CHECK(first != constant_values(reinitialise(teacher, 2), "a.w"));
  CHECK(constant_values(teacher, "fc.b") == noise({100}, 3).to_float());
}

TEST_CASE("convolutions without normalization get one, which starts as identity",
          "[distill][shrink]") {
  const Model model = reinitialise(wide_model().build(), 1);
  int norms = 0;
  for (const auto& node : model.graph.nodes()) norms += node->op_type() == "BatchNormalization";
  CHECK(norms == 1);
  const Tensor y = Engine::compile(model)->run({noise({2, 8, 6, 6}, 4)})[0];
  CHECK(y.dims() == Dims{2, 100});
}

TEST_CASE("normalizations that exist are reset, and none are added", "[distill][shrink]") {
  const Model model = reinitialise(load_model(fixture("fashion_mnist_cnn.onnx")), 1);
  for (const float value : constant_values(model, "1.a.1.weight")) CHECK(value == 1);
  for (const float value : constant_values(model, "1.a.1.bias")) CHECK(value == 0);
  for (const float value : constant_values(model, "1.a.1.running_mean")) CHECK(value == 0);
  for (const float value : constant_values(model, "1.a.1.running_var")) CHECK(value == 1);
  int norms = 0;
  for (const auto& node : model.graph.nodes()) norms += node->op_type() == "BatchNormalization";
  CHECK(norms == 13);
  const TemporaryFolder folder;
  save_model(model, folder / "m.onnx");
  CHECK(load_model(folder / "m.onnx").graph.outputs().size() == 1);
}
