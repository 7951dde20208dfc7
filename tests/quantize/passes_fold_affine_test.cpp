#include <catch2/catch_test_macros.hpp>

#include "lib/quantize/passes/passes.h"
#include "tests/support/model_builder.h"
#include "tests/support/reference_run.h"

using namespace limbeck;
using namespace limbeck::test;

namespace {

/// conv over x, then `op` with a constant c.
Model conv_then(const std::string& op, const Tensor& constant, bool constant_first = false) {
  ModelBuilder b(13);
  b.input("x", {1, 3, 4, 4})
      .weight("w", noise({2, 3, 3, 3}, 1))
      .weight("b", noise({2}, 2))
      .weight("c", constant);
  b.node("Conv", {"x", "w", "b"}, {"conv"});
  if (constant_first) b.node(op, {"c", "conv"}, {"y"});
  if (!constant_first) b.node(op, {"conv", "c"}, {"y"});
  return b.output("y").build();
}

void check_folds(const Model& before) {
  Model after = copy_model(before);
  CHECK(fold_affine(after.graph, 13) == 1);
  after.graph.remove_dead();
  CHECK(after.graph.dump() == "y = Conv(x, w, b)\nreturn y\n");
  check_same_outputs(before, after, {{"x", noise({1, 3, 4, 4}, 3)}});
}

}  // namespace

TEST_CASE("arithmetic with one constant a channel moves into the convolution before it",
          "[passes]") {
  const Tensor per_channel = noise({2, 1, 1}, 4);
  for (const char* op : {"Add", "Sub", "Mul", "Div"}) check_folds(conv_then(op, per_channel));
  for (const char* op : {"Add", "Sub", "Mul"}) check_folds(conv_then(op, per_channel, true));
}

TEST_CASE("arithmetic with a scalar moves into the convolution before it", "[passes]") {
  check_folds(conv_then("Mul", Tensor::scalar<float>(0.25F)));
  check_folds(conv_then("Add", noise({1, 2, 1, 1}, 5)));
}

TEST_CASE("a constant that varies along a spatial axis is not folded", "[passes]") {
  Model model = conv_then("Mul", noise({2}, 4));  // along the width
  CHECK(fold_affine(model.graph, 13) == 0);
}

TEST_CASE("a constant divided by a convolution, or a division by zero, is not folded", "[passes]") {
  Model reciprocal = conv_then("Div", Tensor::scalar<float>(2.0F), true);
  CHECK(fold_affine(reciprocal.graph, 13) == 0);
  Model infinite = conv_then("Div", Tensor::scalar<float>(0.0F));
  CHECK(fold_affine(infinite.graph, 13) == 0);
}

TEST_CASE("a constant that would enlarge the output is not folded", "[passes]") {
  Model model = conv_then("Add", noise({5, 2, 1, 1}, 4));
  CHECK(fold_affine(model.graph, 13) == 0);
}

TEST_CASE("a bias that Paddle adds behind a convolution becomes its bias", "[passes]") {
  ModelBuilder b(13);
  b.input("x", {1, 3, 4, 4}).weight("w", noise({2, 3, 1, 1}, 1));
  b.node("Constant", {}, {"c"}).with("value", noise({1, 2, 1, 1}, 2));
  b.node("Conv", {"x", "w"}, {"conv"});
  b.node("Add", {"conv", "c"}, {"y"});
  const Model before = b.output("y").build();
  Model after = copy_model(before);
  CHECK(constants_to_initializers(after.graph, 13) == 1);
  CHECK(fold_affine(after.graph, 13) == 1);
  after.graph.remove_dead();
  CHECK(after.graph.dump() == "y = Conv(x, w, conv_bias)\nreturn y\n");
  check_same_outputs(before, after, {{"x", noise({1, 3, 4, 4}, 3)}});
}
