#include <catch2/catch_test_macros.hpp>

#include "lib/quantize/passes/passes.h"
#include "tests/support/model_builder.h"
#include "tests/support/reference_run.h"

using namespace limbeck;
using namespace limbeck::test;

namespace {

Model leaky(float slope) {
  ModelBuilder b(13);
  b.input("x", {16}).weight("a", Tensor::scalar<float>(slope));
  b.node("Mul", {"x", "a"}, {"scaled"});
  b.node("Max", {"x", "scaled"}, {"y"});
  return b.output("y").build();
}

/// The gate Clip(x + 3, 0, 6), then the two orders in which exporters write the rest.
ModelBuilder gated(int64_t opset) {
  ModelBuilder b(opset);
  b.input("x", {16})
      .weight("three", Tensor::scalar<float>(3))
      .weight("zero", Tensor::scalar<float>(0));
  b.weight("six", Tensor::scalar<float>(6));
  b.node("Add", {"x", "three"}, {"shifted"});
  b.node("Clip", {"shifted", "zero", "six"}, {"gate"});
  return b;
}

void check_hard_swish(const Model& before) {
  Model after = copy_model(before);
  CHECK(fuse_hard_swish(after.graph, after.opset()) == 1);
  after.graph.remove_dead();
  CHECK(after.graph.dump() == "y = HardSwish(x)\nreturn y\n");
  Tensor x = noise({16}, 1);
  for (float& value : x.mutable_as<float>()) value *= 5.0F;
  check_same_outputs(before, after, {{"x", x}}, 1e-6F);
}

}  // namespace

TEST_CASE("the larger of x and a fraction of x is LeakyRelu", "[passes]") {
  const Model before = leaky(0.2F);
  Model after = copy_model(before);
  CHECK(fuse_leaky_relu(after.graph, 13) == 1);
  after.graph.remove_dead();
  CHECK(after.graph.dump() == "y = LeakyRelu(x)\nreturn y\n");
  check_same_outputs(before, after, {{"x", noise({16}, 1)}}, 0.0F);
}

TEST_CASE("a slope above one or not positive is no LeakyRelu", "[passes]") {
  for (const float slope : {1.5F, 0.0F, -0.1F}) {
    Model model = leaky(slope);
    CHECK(fuse_leaky_relu(model.graph, 13) == 0);
  }
}

TEST_CASE("x times its shifted clip over six is HardSwish in either order", "[passes]") {
  ModelBuilder product_first = gated(14);
  product_first.node("Mul", {"x", "gate"}, {"product"});
  product_first.node("Div", {"product", "six"}, {"y"});
  check_hard_swish(product_first.output("y").build());
  ModelBuilder quotient_first = gated(14);
  quotient_first.node("Div", {"gate", "six"}, {"quotient"});
  quotient_first.node("Mul", {"quotient", "x"}, {"y"});
  check_hard_swish(quotient_first.output("y").build());
}

TEST_CASE("x times HardSigmoid of x is HardSwish when slope and offset fit", "[passes]") {
  for (const bool fits : {true, false}) {
    ModelBuilder b(14);
    b.input("x", {16})
        .node("HardSigmoid", {"x"}, {"gate"})
        .with("alpha", fits ? 0.1666667F : 0.2F)
        .with("beta", 0.5F);
    b.node("Mul", {"x", "gate"}, {"y"});
    Model model = b.output("y").build();
    if (fits) check_hard_swish(model);
    if (!fits) CHECK(fuse_hard_swish(model.graph, 14) == 0);
  }
}

TEST_CASE("HardSwish is not written before opset 14", "[passes]") {
  ModelBuilder b = gated(13);
  b.node("Mul", {"x", "gate"}, {"product"});
  b.node("Div", {"product", "six"}, {"y"});
  Model model = b.output("y").build();
  CHECK(fuse_hard_swish(model.graph, 13) == 0);
}

TEST_CASE("the gate of another tensor is no HardSwish", "[passes]") {
  ModelBuilder b = gated(14);
  b.node("Relu", {"x"}, {"other"});
  b.node("Mul", {"other", "gate"}, {"product"});
  b.node("Div", {"product", "six"}, {"y"});
  Model model = b.output("y").build();
  CHECK(fuse_hard_swish(model.graph, 14) == 0);
}
