#include <catch2/catch_test_macros.hpp>

#include "lib/quantize/passes/passes.h"
#include "tests/support/model_builder.h"
#include "tests/support/reference_run.h"

using namespace limbeck;
using namespace limbeck::test;

namespace {

using Ints = std::vector<int64_t>;

Model padded(const std::string& op, const Ints& pads, bool relu_first = false) {
  ModelBuilder b(13);
  b.input("x", {1, 2, 5, 5}).weight("w", noise({3, 2, 3, 3}, 1)).weight("pads", ints(pads));
  if (relu_first) b.node("Relu", {"x"}, {"r"});
  b.node("Pad", {relu_first ? "r" : "x", "pads"}, {"p"});
  if (op == "Conv") b.node("Conv", {"p", "w"}, {"y"}).with("pads", Ints{1, 0, 0, 1});
  if (op != "Conv")
    b.node(op, {"p"}, {"y"}).with("kernel_shape", Ints{3, 3}).with("strides", Ints{2, 2});
  Model model = b.output("y").build();
  for (Value* value : model.graph.values()) {
    if (value->name() == "p") value->shape = Shape(4);
  }
  return model;
}

void check_folds(const Model& before, const std::string& wanted) {
  Model after = copy_model(before);
  for (Value* value : after.graph.values()) {
    if (value->name() == "p") value->shape = Shape(4);
  }
  CHECK(fold_pad(after.graph, 13) == 1);
  after.graph.remove_dead();
  CHECK(after.graph.dump() == wanted);
  check_same_outputs(before, after, {{"x", noise({1, 2, 5, 5}, 2)}});
}

}  // namespace

TEST_CASE("zero padding in front of a convolution joins the convolution's own", "[passes]") {
  const Model before = padded("Conv", {0, 0, 1, 2, 0, 0, 3, 0});
  check_folds(before, "y = Conv(x, w)\nreturn y\n");
  Model after = copy_model(before);
  fold_pad(after.graph, 13);
  CHECK(after.graph.nodes().front()->ints_attribute("pads", {}) == Ints{2, 2, 3, 1});
}

TEST_CASE("zero padding in front of an average pool is counted by the pool", "[passes]") {
  check_folds(padded("AveragePool", {0, 0, 1, 1, 0, 0, 1, 1}), "y = AveragePool(x)\nreturn y\n");
}

TEST_CASE("zero padding in front of a max pool folds only behind non-negative values", "[passes]") {
  check_folds(padded("MaxPool", {0, 0, 1, 1, 0, 0, 1, 1}, true),
              "r = Relu(x)\ny = MaxPool(r)\nreturn y\n");
  Model negative = padded("MaxPool", {0, 0, 1, 1, 0, 0, 1, 1});
  CHECK(fold_pad(negative.graph, 13) == 0);
}

TEST_CASE("padding of channels, cropping, and padding as wide as a pool's window stay",
          "[passes]") {
  for (const Ints& pads : {Ints{0, 1, 0, 0, 0, 0, 0, 0}, Ints{0, 0, -1, 0, 0, 0, 0, 0}}) {
    Model model = padded("Conv", pads);
    CHECK(fold_pad(model.graph, 13) == 0);
  }
  Model wide = padded("AveragePool", {0, 0, 3, 0, 0, 0, 0, 0});
  CHECK(fold_pad(wide.graph, 13) == 0);
}

TEST_CASE("padding with another value than zero, or by reflection, stays", "[passes]") {
  for (const bool reflect : {false, true}) {
    ModelBuilder b(13);
    b.input("x", {1, 2, 5, 5})
        .weight("w", noise({3, 2, 3, 3}, 1))
        .weight("pads", ints({0, 0, 1, 1, 0, 0, 1, 1}));
    b.weight("one", Tensor::scalar<float>(1.0F));
    if (reflect) b.node("Pad", {"x", "pads"}, {"p"}).with("mode", std::string("reflect"));
    if (!reflect) b.node("Pad", {"x", "pads", "one"}, {"p"});
    b.node("Conv", {"p", "w"}, {"y"});
    Model model = b.output("y").build();
    CHECK(fold_pad(model.graph, 13) == 0);
  }
}

TEST_CASE("padding by attributes, as before opset 11, folds too", "[passes]") {
  ModelBuilder b(10);
  b.input("x", {1, 2, 5, 5}).weight("w", noise({3, 2, 3, 3}, 1));
  b.node("Pad", {"x"}, {"p"}).with("pads", Ints{0, 0, 1, 1, 0, 0, 1, 1});
  b.node("Conv", {"p", "w"}, {"y"});
  Model model = b.output("y").build();
  CHECK(fold_pad(model.graph, 10) == 1);
  CHECK(model.graph.dump() == "y = Conv(x, w)\nreturn y\n");
}
