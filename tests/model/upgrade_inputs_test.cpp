// Attributes that became inputs: the same results before and after.
#include "tests/model/upgrade_case.h"

using namespace limbeck;
using test::check_error;
using test::check_upgrade;
using test::ModelBuilder;
using test::noise;
using test::upgrade_error;
using test::upgraded;
using Ints = std::vector<int64_t>;

namespace {

ModelBuilder with_input(int64_t opset, const Dims& dims) {
  ModelBuilder builder(opset);
  builder.input("x", dims).output("y");
  return builder;
}

}  // namespace

TEST_CASE("the axes of Squeeze and Unsqueeze become inputs in opset 13", "[model]") {
  ModelBuilder builder = with_input(11, {1, 3, 1, 4});
  builder.node("Squeeze", {"x"}, {"s"}).with("axes", Ints{0, -2});
  builder.node("Unsqueeze", {"s"}, {"y"}).with("axes", Ints{0, 2});
  CHECK(check_upgrade(builder, 13, {{"x", noise({1, 3, 1, 4}, 1)}}) ==
        "s = Squeeze(x, s_axes)\ny = Unsqueeze(s, y_axes)\nreturn y\n");
}

TEST_CASE("a Squeeze of all axes of size one stays as it is", "[model]") {
  ModelBuilder builder = with_input(11, {1, 3, 1});
  builder.node("Squeeze", {"x"}, {"y"});
  CHECK(check_upgrade(builder, 13, {{"x", noise({1, 3, 1}, 1)}}) == "y = Squeeze(x)\nreturn y\n");
}

TEST_CASE("the axes of ReduceSum become an input in opset 13", "[model]") {
  ModelBuilder builder = with_input(11, {2, 3, 4});
  builder.node("ReduceSum", {"x"}, {"s"}).with("axes", Ints{-1}).with("keepdims", 1);
  builder.node("ReduceSum", {"s"}, {"y"}).with("keepdims", 0);
  CHECK(check_upgrade(builder, 13, {{"x", noise({2, 3, 4}, 1)}}) ==
        "s = ReduceSum(x, s_axes)\ny = ReduceSum(s)\nreturn y\n");
}

TEST_CASE("the axes of the other reductions become an input in opset 18, not before", "[model]") {
  for (const std::string op : {"ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd"}) {
    INFO(op);
    ModelBuilder builder = with_input(11, {2, 3, 4});
    builder.node(op, {"x"}, {"y"}).with("axes", Ints{0, 2}).with("keepdims", 0);
    const test::NamedTensors inputs{{"x", noise({2, 3, 4}, 1)}};
    CHECK(check_upgrade(builder, 17, inputs) == "y = " + op + "(x)\nreturn y\n");
    CHECK(check_upgrade(builder, 18, inputs) == "y = " + op + "(x, y_axes)\nreturn y\n");
  }
}

TEST_CASE("every other reduction takes its axes the same way", "[model]") {
  for (const std::string op :
       {"ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceSumSquare"}) {
    INFO(op);
    ModelBuilder builder = with_input(11, {2, 3, 4});
    builder.node(op, {"x"}, {"y"}).with("axes", Ints{1, -1});
    const Model after = upgraded(builder, 18);
    CHECK(after.graph.dump() == "y = " + op + "(x, y_axes)\nreturn y\n");
    CHECK(after.graph.find("y_axes")->constant()->to_int64() == Ints{1, -1});
  }
}

TEST_CASE("the sizes of Split become an input in opset 13", "[model]") {
  ModelBuilder builder = with_input(11, {2, 6});
  builder.node("Split", {"x"}, {"a", "b"}).with("axis", 1).with("split", Ints{2, 4});
  builder.node("Concat", {"b", "a"}, {"y"}).with("axis", 1);
  CHECK(check_upgrade(builder, 18, {{"x", noise({2, 6}, 1)}}) ==
        "a, b = Split(x, a_split)\ny = Concat(b, a)\nreturn y\n");
}

TEST_CASE("an even Split states its number of outputs from opset 18 on", "[model]") {
  ModelBuilder builder = with_input(11, {2, 6});
  builder.node("Split", {"x"}, {"a", "b", "c"}).with("axis", 1);
  builder.node("Concat", {"c", "a", "b"}, {"y"}).with("axis", 1);
  const test::NamedTensors inputs{{"x", noise({2, 6}, 1)}};
  check_upgrade(builder, 17, inputs);
  check_upgrade(builder, 18, inputs);
  const Model after = upgraded(builder, 18);
  CHECK(after.graph.nodes().front()->int_attribute("num_outputs", 0) == 3);
  CHECK_FALSE(upgraded(builder, 17).graph.nodes().front()->has_attribute("num_outputs"));
}

TEST_CASE("the bounds of Slice become inputs in opset 10", "[model]") {
  ModelBuilder builder = with_input(9, {4, 5});
  builder.node("Slice", {"x"}, {"s"})
      .with("starts", Ints{1, -3})
      .with("ends", Ints{3, 1000})
      .with("axes", Ints{0, 1});
  builder.node("Slice", {"s"}, {"y"}).with("starts", Ints{0}).with("ends", Ints{-1});
  CHECK(check_upgrade(builder, 10, {{"x", noise({4, 5}, 1)}}) ==
        "s = Slice(x, s_starts, s_ends, s_axes)\ny = Slice(s, y_starts, y_ends)\nreturn y\n");
}

TEST_CASE("the k of TopK becomes an input in opset 10", "[model]") {
  ModelBuilder builder = with_input(9, {2, 5});
  builder.node("TopK", {"x"}, {"y", "indices"}).with("k", 3).with("axis", 1);
  const Model after = upgraded(builder, 21);
  CHECK(after.graph.dump() == "y, indices = TopK(x, y_k)\nreturn y\n");
  CHECK(after.graph.find("y_k")->constant()->to_int64() == Ints{3});
  CHECK(after.graph.find("y_k")->constant()->rank() == 1);
  CHECK(after.graph.nodes().front()->int_attribute("axis", -1) == 1);
}

TEST_CASE("the pads and the value of Pad become inputs in opset 11", "[model]") {
  const test::NamedTensors inputs{{"x", noise({1, 2, 3, 3}, 1)}};
  const Ints pads{0, 0, 1, 2, 0, 0, 3, 0};
  ModelBuilder constant = with_input(10, {1, 2, 3, 3});
  constant.node("Pad", {"x"}, {"y"}).with("pads", pads).with("value", 1.5F);
  CHECK(check_upgrade(constant, 11, inputs) == "y = Pad(x, y_pads, y_value)\nreturn y\n");
  ModelBuilder zero = with_input(10, {1, 2, 3, 3});
  zero.node("Pad", {"x"}, {"y"}).with("pads", pads).with("value", 0.0F);
  CHECK(check_upgrade(zero, 21, inputs) == "y = Pad(x, y_pads)\nreturn y\n");
  ModelBuilder reflect = with_input(10, {1, 2, 3, 3});
  reflect.node("Pad", {"x"}, {"y"})
      .with("pads", Ints{0, 0, 1, 2, 0, 0, 2, 1})
      .with("mode", std::string("reflect"));
  CHECK(check_upgrade(reflect, 13, inputs) == "y = Pad(x, y_pads)\nreturn y\n");
}

TEST_CASE("the bounds of Clip become inputs in opset 11", "[model]") {
  const test::NamedTensors inputs{{"x", noise({16}, 1)}};
  ModelBuilder both = with_input(7, {16});
  both.node("Clip", {"x"}, {"y"}).with("min", -0.25F).with("max", 0.5F);
  CHECK(check_upgrade(both, 13, inputs) == "y = Clip(x, y_min, y_max)\nreturn y\n");
  ModelBuilder upper = with_input(7, {16});
  upper.node("Clip", {"x"}, {"y"}).with("max", 0.5F);
  CHECK(check_upgrade(upper, 13, inputs) == "y = Clip(x, -, y_max)\nreturn y\n");
  ModelBuilder none = with_input(7, {16});
  none.node("Clip", {"x"}, {"y"});
  CHECK(check_upgrade(none, 13, inputs) == "y = Clip(x)\nreturn y\n");
}

TEST_CASE("a bound takes the element type of the data or the upgrade is refused", "[model]") {
  ModelBuilder wide(10);
  wide.input("x", {2}, DataType::kDouble).output("y", DataType::kDouble);
  wide.node("Clip", {"x"}, {"y"}).with("min", 0.5F);
  const Model after = upgraded(wide, 11);
  CHECK(after.graph.find("y_min")->type == DataType::kDouble);
  ModelBuilder half(10);
  half.input("x", {2}, DataType::kFloat16).output("y", DataType::kFloat16);
  half.node("Clip", {"x"}, {"y"}).with("min", 0.5F);
  check_error(upgrade_error(half, 11), Category::kUnsupported, "node 'n0' (Clip)",
              "a number that became an input must be float or double", "float16");
}

TEST_CASE("the ratio of Dropout becomes an input in opset 12", "[model]") {
  ModelBuilder builder = with_input(7, {8});
  builder.node("Dropout", {"x"}, {"y", "mask"}).with("ratio", 0.3F);
  CHECK(check_upgrade(builder, 13, {{"x", noise({8}, 1)}}) ==
        "y, mask = Dropout(x, y_ratio)\nreturn y\n");
}

TEST_CASE("a Dropout whose mask is read cannot pass opset 10", "[model]") {
  ModelBuilder builder = with_input(9, {8});
  builder.node("Dropout", {"x"}, {"d", "mask"});
  builder.node("Mul", {"d", "mask"}, {"y"});
  check_error(upgrade_error(builder, 13), Category::kUnsupported, "node 'n0' (Dropout)",
              "the mask of Dropout must be unused, its type changed in opset 10", "'mask' in use");
}

TEST_CASE("the axis of DFT becomes an input in opset 20", "[model]") {
  ModelBuilder builder = with_input(17, {1, 8, 1});
  builder.node("DFT", {"x"}, {"y"}).with("axis", 1);
  const Model after = upgraded(builder, 20);
  CHECK(after.graph.dump() == "y = DFT(x, -, y_axis)\nreturn y\n");
  CHECK(after.graph.find("y_axis")->constant()->rank() == 0);
  CHECK(after.graph.find("y_axis")->constant()->to_int64() == Ints{1});
  CHECK_FALSE(after.graph.nodes().front()->has_attribute("axis"));
}
