// Channels that give nothing can go without a trace: what is left must compute the same.
#include "tests/distill/shrink/shrink_support.h"

using namespace limbeck;
using namespace limbeck::test;

namespace {

/// image [N,3,6,6] -> ... -> logits [N,5] behind a global pooling of `features`.
void add_head(ModelBuilder& builder, const std::string& features, int64_t channels) {
  builder.weight("fc.w", noise({5, channels}, 90)).weight("fc.b", noise({5}, 91));
  builder.node("GlobalAveragePool", {features}, {"pooled"});
  builder.node("Flatten", {"pooled"}, {"flat"});
  builder.node("Gemm", {"flat", "fc.w", "fc.b"}, {"logits"}).with("transB", 1);
  builder.output("logits");
}

ModelBuilder image_model(int64_t opset = 17) {
  ModelBuilder builder(opset);
  builder.input("image", {-1, 3, 6, 6});
  return builder;
}

NamedTensors image() { return {{"image", noise({2, 3, 6, 6}, 7)}}; }

}  // namespace

TEST_CASE("a chain with BatchNormalization loses the channels that it scales to zero",
          "[distill][shrink]") {
  ModelBuilder builder = image_model();
  builder.weight("a.w", noise({8, 3, 3, 3}, 1)).weight("b.w", noise({6, 8, 3, 3}, 2));
  builder.weight("scale", noise_without({8}, 3, 0, {0, 3, 7}));
  builder.weight("shift", noise_without({8}, 4, 0, {0, 3, 7}));
  builder.weight("mean", noise({8}, 5)).weight("var", positive_noise({8}, 6));
  builder.node("Conv", {"image", "a.w"}, {"a"});
  builder.node("BatchNormalization", {"a", "scale", "shift", "mean", "var"}, {"n"});
  builder.node("Relu", {"n"}, {"r"});
  builder.node("Conv", {"r", "b.w"}, {"b"});
  add_head(builder, "b", 6);
  const ShrinkResult result = shrink_exactly(builder, 0.629, image());
  CHECK(dims_of(result, "a.w") == Dims{5, 3, 3, 3});
  CHECK(dims_of(result, "b.w") == Dims{6, 5, 3, 3});
  for (const char* name : {"scale", "shift", "mean", "var"})
    CHECK(dims_of(result, name) == Dims{5});
  REQUIRE(result.layers.size() == 3);
  CHECK(result.layers[0].node == "n0");
  CHECK(result.layers[0].outputs_before == 8);
  CHECK(result.layers[0].outputs_after == 5);
  CHECK(result.layers[1].inputs_before == 8);
  CHECK(result.layers[1].inputs_after == 5);
  CHECK(result.layers[0].macs_after * 8 == result.layers[0].macs_before * 5);
  CHECK(result.layers[2].macs_after == result.layers[2].macs_before);
}

TEST_CASE("a residual sum keeps one width in all its branches", "[distill][shrink]") {
  ModelBuilder builder = image_model();
  const std::vector<int64_t> stream = {1, 5};
  add_filters(builder, "stem", {8, 3, 1, 1}, 1, stream);
  add_filters(builder, "c1", {6, 8, 1, 1}, 2, {0, 2, 4});
  add_filters(builder, "c2", {8, 6, 1, 1}, 3, stream);
  add_conv(builder, "image", "stem", "s");
  builder.node("Relu", {"s"}, {"x"});
  add_conv(builder, "x", "c1", "h");
  builder.node("Relu", {"h"}, {"hr"});
  add_conv(builder, "hr", "c2", "f");
  builder.node("Add", {"f", "x"}, {"sum"});
  builder.node("Relu", {"sum"}, {"y"});
  add_head(builder, "y", 8);
  // 24 + 48 + 48 filters times 36 pixels, and 40; without: 18 + 18 + 18 times 36, and 30.
  const ShrinkResult result = shrink_exactly(builder, 0.4535, image());
  CHECK(dims_of(result, "stem.w") == Dims{6, 3, 1, 1});
  CHECK(dims_of(result, "c1.w") == Dims{3, 6, 1, 1});
  CHECK(dims_of(result, "c2.w") == Dims{6, 3, 1, 1});
  CHECK(dims_of(result, "fc.w") == Dims{5, 6});
  CHECK(result.macs_after == 54 * 36 + 30);
  CHECK(result.macs_before == 120 * 36 + 40);
}

TEST_CASE("a depthwise convolution shrinks with its inputs and counts its groups anew",
          "[distill][shrink]") {
  ModelBuilder builder = image_model();
  const std::vector<int64_t> silent = {0, 6, 7};
  add_filters(builder, "expand", {8, 3, 1, 1}, 1, silent);
  add_filters(builder, "depth", {8, 1, 3, 3}, 2, silent);
  add_filters(builder, "project", {4, 8, 1, 1}, 3, {});
  builder.weight("low", Tensor::scalar(0.0F)).weight("high", Tensor::scalar(6.0F));
  add_conv(builder, "image", "expand", "e");
  builder.node("Clip", {"e", "low", "high"}, {"ec"});
  add_conv(builder, "ec", "depth", "d").with("group", 8);
  builder.node("Clip", {"d", "low", "high"}, {"dc"});
  add_conv(builder, "dc", "project", "p");
  add_head(builder, "p", 4);
  const ShrinkResult result = shrink_exactly(builder, 0.628, image());
  CHECK(dims_of(result, "depth.w") == Dims{5, 1, 3, 3});
  CHECK(dims_of(result, "expand.w") == Dims{5, 3, 1, 1});
  CHECK(dims_of(result, "project.w") == Dims{4, 5, 1, 1});
  CHECK(group_of_node(result, "Conv") == 5);
}

TEST_CASE("few wide groups lose the same places, many narrow ones go whole", "[distill][shrink]") {
  ModelBuilder builder = image_model();
  // Two groups of four in and six out: place 1 of the inputs, places 0 and 5 of the outputs.
  add_filters(builder, "in", {8, 3, 1, 1}, 1, {1, 5});
  add_filters(builder, "wide", {12, 4, 1, 1}, 2, {0, 5, 6, 11});
  add_filters(builder, "mid", {12, 12, 1, 1}, 3, {2, 3, 10, 11});
  // Six groups of two: groups 1 and 5 are silent.
  add_filters(builder, "narrow", {6, 2, 1, 1}, 4, {1, 5});
  add_conv(builder, "image", "in", "a");
  builder.node("Relu", {"a"}, {"ar"});
  add_conv(builder, "ar", "wide", "b").with("group", 2);
  builder.node("Relu", {"b"}, {"br"});
  add_conv(builder, "br", "mid", "c");
  builder.node("Relu", {"c"}, {"cr"});
  add_conv(builder, "cr", "narrow", "d").with("group", 6);
  add_head(builder, "d", 6);
  const ShrinkResult result = shrink_exactly(builder, 0.502, image());
  CHECK(dims_of(result, "in.w") == Dims{6, 3, 1, 1});
  CHECK(dims_of(result, "wide.w") == Dims{8, 3, 1, 1});
  CHECK(dims_of(result, "mid.w") == Dims{8, 8, 1, 1});
  CHECK(dims_of(result, "narrow.w") == Dims{4, 2, 1, 1});
  std::vector<int64_t> groups;
  for (const auto& node : result.student.graph.nodes()) {
    if (node->op_type() == "Conv") groups.push_back(node->int_attribute("group", 1));
  }
  CHECK(groups == std::vector<int64_t>{1, 2, 1, 4});
}

TEST_CASE("the parts of a Concat and of a Split shrink at their own offsets", "[distill][shrink]") {
  ModelBuilder builder = image_model();
  add_filters(builder, "a", {4, 3, 1, 1}, 1, {0, 3});
  add_filters(builder, "b", {6, 3, 1, 1}, 2, {5});
  add_filters(builder, "c", {3, 4, 1, 1}, 3, {});
  add_filters(builder, "d", {3, 6, 1, 1}, 4, {});
  add_conv(builder, "image", "a", "xa");
  add_conv(builder, "image", "b", "xb");
  builder.node("Concat", {"xa", "xb"}, {"x"}).with("axis", 1);
  builder.weight("sizes", ints({4, 6}));
  builder.node("Split", {"x", "sizes"}, {"pa", "pb"}).with("axis", 1);
  add_conv(builder, "pa", "c", "yc");
  add_conv(builder, "pb", "d", "yd");
  builder.node("Add", {"yc", "yd"}, {"y"});
  add_head(builder, "y", 3);
  const ShrinkResult result = shrink_exactly(builder, 0.7035, image());
  CHECK(dims_of(result, "a.w") == Dims{2, 3, 1, 1});
  CHECK(dims_of(result, "b.w") == Dims{5, 3, 1, 1});
  CHECK(dims_of(result, "c.w") == Dims{3, 2, 1, 1});
  CHECK(dims_of(result, "d.w") == Dims{3, 5, 1, 1});
}

TEST_CASE("a squeeze-and-excitation gate shrinks with what it gates", "[distill][shrink]") {
  ModelBuilder builder = image_model();
  const std::vector<int64_t> silent = {2, 4};
  add_filters(builder, "a", {6, 3, 1, 1}, 1, silent);
  add_filters(builder, "squeeze", {4, 6, 1, 1}, 2, {1});
  add_filters(builder, "excite", {6, 4, 1, 1}, 3, silent);
  add_filters(builder, "b", {4, 6, 1, 1}, 4, {});
  add_conv(builder, "image", "a", "x");
  builder.node("GlobalAveragePool", {"x"}, {"g"});
  add_conv(builder, "g", "squeeze", "s");
  builder.node("Relu", {"s"}, {"sr"});
  add_conv(builder, "sr", "excite", "e");
  builder.node("Sigmoid", {"e"}, {"gate"});
  builder.node("Mul", {"x", "gate"}, {"gated"});
  add_conv(builder, "gated", "b", "y");
  add_head(builder, "y", 4);
  // (18 + 24) * 36 + 48 + 20 before; (12 + 16) * 36 + 24 + 20 without.
  const ShrinkResult result = shrink_exactly(builder, 0.668, image());
  CHECK(dims_of(result, "a.w") == Dims{4, 3, 1, 1});
  CHECK(dims_of(result, "squeeze.w") == Dims{3, 4, 1, 1});
  CHECK(dims_of(result, "excite.w") == Dims{4, 3, 1, 1});
  CHECK(dims_of(result, "b.w") == Dims{4, 4, 1, 1});
}

namespace {

/// image -> Conv(6) -> MaxPool to 2x2 -> `flatten` -> Gemm of 24 columns.
ModelBuilder flattened_model() {
  ModelBuilder builder = image_model();
  add_filters(builder, "a", {6, 3, 1, 1}, 1, {0, 5});
  builder.weight("fc.w", noise({24, 5}, 2)).weight("fc.b", noise({5}, 3));
  add_conv(builder, "image", "a", "x");
  builder.node("MaxPool", {"x"}, {"p"})
      .with("kernel_shape", std::vector<int64_t>{3, 3})
      .with("strides", std::vector<int64_t>{3, 3});
  return builder;
}

void check_flattened(ModelBuilder& builder) {
  builder.node("Gemm", {"flat", "fc.w", "fc.b"}, {"logits"});
  builder.output("logits");
  const ShrinkResult result = shrink_exactly(builder, 0.667, image());
  CHECK(dims_of(result, "a.w") == Dims{4, 3, 1, 1});
  CHECK(dims_of(result, "fc.w") == Dims{16, 5});
}

}  // namespace

TEST_CASE("a flattened channel takes its block of columns along", "[distill][shrink]") {
  ModelBuilder builder = flattened_model();
  SECTION("Flatten") { builder.node("Flatten", {"p"}, {"flat"}); }
  SECTION("Reshape with an open batch") {
    builder.weight("shape", ints({-1, 24}));
    builder.node("Reshape", {"p", "shape"}, {"flat"});
  }
  SECTION("Reshape with an open width") {
    builder.weight("shape", ints({0, -1}));
    builder.node("Reshape", {"p", "shape"}, {"flat"});
  }
  SECTION("Reshape to the batch that Shape reports") {
    builder.weight("zero", Tensor::scalar<int64_t>(0)).weight("axes", ints({0}));
    builder.weight("width", ints({24}));
    builder.node("Shape", {"p"}, {"dims"});
    builder.node("Gather", {"dims", "zero"}, {"batch"});
    builder.node("Unsqueeze", {"batch", "axes"}, {"first"});
    builder.node("Concat", {"first", "width"}, {"shape"}).with("axis", 0);
    builder.node("Reshape", {"p", "shape"}, {"flat"});
  }
  check_flattened(builder);
}

TEST_CASE("channels move with Transpose and end in MatMul", "[distill][shrink]") {
  ModelBuilder builder = image_model();
  add_filters(builder, "a", {6, 3, 1, 1}, 1, {0, 5});
  builder.weight("m.w", noise_without({6, 8}, 2, 1, {1, 2, 3}));
  builder.weight("m.b", noise_without({8}, 3, 0, {1, 2, 3}));
  builder.weight("slope", noise({8}, 4)).weight("o.w", noise({8, 4}, 5));
  add_conv(builder, "image", "a", "x");
  builder.node("Transpose", {"x"}, {"t"}).with("perm", std::vector<int64_t>{0, 2, 3, 1});
  builder.node("MatMul", {"t", "m.w"}, {"m"});
  builder.node("Add", {"m", "m.b"}, {"mb"});
  builder.node("PRelu", {"mb", "slope"}, {"h"});
  builder.node("MatMul", {"h", "o.w"}, {"y"});
  builder.output("y");
  const ShrinkResult result = shrink_exactly(builder, 0.532, image());
  CHECK(dims_of(result, "a.w") == Dims{4, 3, 1, 1});
  CHECK(dims_of(result, "m.w") == Dims{4, 5});
  CHECK(dims_of(result, "m.b") == Dims{5});
  CHECK(dims_of(result, "slope") == Dims{5});
  CHECK(dims_of(result, "o.w") == Dims{5, 4});
}

TEST_CASE("a transposed convolution shrinks on both sides", "[distill][shrink]") {
  ModelBuilder builder = image_model();
  add_filters(builder, "a", {6, 3, 1, 1}, 1, {0, 5});
  builder.weight("up.w", noise_without({6, 5, 2, 2}, 2, 1, {3}));
  builder.weight("up.b", noise_without({5}, 3, 0, {3}));
  add_filters(builder, "o", {2, 5, 1, 1}, 4, {});
  add_conv(builder, "image", "a", "x");
  builder.node("ConvTranspose", {"x", "up.w", "up.b"}, {"u"})
      .with("strides", std::vector<int64_t>{2, 2});
  add_conv(builder, "u", "o", "y");
  builder.output("y");
  const ShrinkResult result = shrink_exactly(builder, 0.608, image());
  CHECK(dims_of(result, "a.w") == Dims{4, 3, 1, 1});
  CHECK(dims_of(result, "up.w") == Dims{4, 4, 2, 2});
  CHECK(dims_of(result, "o.w") == Dims{2, 4, 1, 1});
}

TEST_CASE("weights that two layers share are cut once, for both", "[distill][shrink]") {
  ModelBuilder builder = image_model();
  add_filters(builder, "a", {6, 3, 1, 1}, 1, {2});
  add_filters(builder, "shared", {6, 6, 1, 1}, 2, {2});
  add_conv(builder, "image", "a", "x");
  add_conv(builder, "x", "shared", "y");
  builder.node("Relu", {"y"}, {"yr"});
  add_conv(builder, "yr", "shared", "z");
  add_head(builder, "z", 6);
  const ShrinkResult result = shrink_exactly(builder, 0.725, image());
  CHECK(dims_of(result, "shared.w") == Dims{5, 5, 1, 1});
}
