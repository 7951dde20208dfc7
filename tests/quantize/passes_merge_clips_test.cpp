#include <catch2/catch_test_macros.hpp>

#include "lib/quantize/passes/passes.h"
#include "tests/support/model_builder.h"
#include "tests/support/reference_run.h"

using namespace limbeck;
using namespace limbeck::test;

namespace {

ModelBuilder with_bounds(int64_t opset) {
  ModelBuilder b(opset);
  b.input("x", {16})
      .weight("zero", Tensor::scalar<float>(0))
      .weight("six", Tensor::scalar<float>(6));
  b.weight("minus", Tensor::scalar<float>(-0.25F)).weight("half", Tensor::scalar<float>(0.5F));
  return b;
}

void check_merges(Model before, const std::string& wanted) {
  Model after = copy_model(before);
  CHECK(merge_clips(after.graph, after.opset()) >= 1);
  after.graph.remove_dead();
  CHECK(after.graph.dump() == wanted);
  check_same_outputs(before, after, {{"x", noise({16}, 1)}}, 0.0F);
}

}  // namespace

TEST_CASE("Relu before Clip(0, 6) is redundant", "[passes]") {
  ModelBuilder b = with_bounds(13);
  b.node("Relu", {"x"}, {"a"});
  b.node("Clip", {"a", "zero", "six"}, {"y"});
  check_merges(b.output("y").build(), "y = Clip(x, zero, six)\nreturn y\n");
}

TEST_CASE("Relu behind a Clip raises the lower bound to zero", "[passes]") {
  ModelBuilder b = with_bounds(13);
  b.node("Clip", {"x", "minus", "half"}, {"a"});
  b.node("Relu", {"a"}, {"y"});
  check_merges(b.output("y").build(), "y = Clip(x, minus, half)\nreturn y\n");
}

TEST_CASE("Relu behind Relu, Sigmoid or Clip(0, 6) is dropped", "[passes]") {
  ModelBuilder b = with_bounds(13);
  b.node("Sigmoid", {"x"}, {"a"});
  b.node("Relu", {"a"}, {"y"});
  check_merges(b.output("y").build(), "y = Sigmoid(x)\nreturn y\n");
}

TEST_CASE("two Clips become their intersection, attributes before opset 11 included", "[passes]") {
  ModelBuilder b(10);
  b.input("x", {16});
  b.node("Clip", {"x"}, {"a"}).with("min", -0.5F);
  b.node("Clip", {"a"}, {"y"}).with("min", -0.75F).with("max", 0.5F);
  Model model = b.output("y").build();
  CHECK(merge_clips(model.graph, 10) == 1);
  CHECK(model.graph.dump() == "y = Clip(x)\nreturn y\n");
  const Node& clip = *model.graph.nodes().front();
  CHECK(clip.float_attribute("min", 9) == -0.5F);
  CHECK(clip.float_attribute("max", 9) == 0.5F);
}

TEST_CASE("disjoint Clips depend on their order and stay", "[passes]") {
  ModelBuilder b(10);
  b.input("x", {16});
  b.node("Clip", {"x"}, {"a"}).with("min", 2.0F).with("max", 3.0F);
  b.node("Clip", {"a"}, {"y"}).with("min", 0.0F).with("max", 1.0F);
  Model model = b.output("y").build();
  CHECK(merge_clips(model.graph, 10) == 0);
}

TEST_CASE("a Relu whose output is read elsewhere survives the Clip behind it", "[passes]") {
  ModelBuilder b = with_bounds(13);
  b.node("Relu", {"x"}, {"a"});
  b.node("Clip", {"a", "minus", "half"}, {"y"});
  b.node("Sigmoid", {"a"}, {"z"});
  Model model = b.output("y").output("z").build();
  CHECK(merge_clips(model.graph, 13) == 0);
}
