// Fused float steps against one plain kernel a node.
#include <catch2/catch_test_macros.hpp>
#include <functional>

#include "tests/support/engine_compare.h"

namespace limbeck::test {
namespace {

using Attributes = std::function<void(NodeBuilder)>;

void check_conv(const Dims& input, const Dims& weights, const Attributes& attributes,
                bool bias = true) {
  CAPTURE(dims_text(input), dims_text(weights));
  ModelBuilder builder(13);
  builder.input("x", input).weight("w", noise(weights, 1));
  std::vector<std::string> inputs{"x", "w"};
  if (bias) {
    builder.weight("b", noise({weights[0]}, 2));
    inputs.push_back("b");
  }
  attributes(builder.node("Conv", inputs, {"y"}));
  builder.output("y");
  check_fused(builder.build(), {noise(input, 3)});
}

void nothing(const NodeBuilder&) {}

/// x -> Conv 8 channels -> "c"; returns the builder for what follows.
ModelBuilder after_conv(int64_t opset = 14) {
  ModelBuilder builder(opset);
  builder.input("x", {-1, 4, 7, 7}).weight("w", noise({8, 4, 3, 3}, 1));
  builder.weight("b", noise({8}, 2));
  builder.node("Conv", {"x", "w", "b"}, {"c"}).with("pads", std::vector<int64_t>{1, 1, 1, 1});
  return builder;
}

void add_batch_norm(ModelBuilder& builder, const std::string& from, const std::string& to) {
  builder.weight("gamma", noise({8}, 3)).weight("beta", noise({8}, 4));
  builder.weight("mean", noise({8}, 5)).weight("var", positive_noise({8}, 6));
  builder.node("BatchNormalization", {from, "gamma", "beta", "mean", "var"}, {to});
}

void check_tail(ModelBuilder& builder, const std::string& output) {
  builder.output(output);
  check_fused(builder.build(), {noise({3, 4, 7, 7}, 9)}, {}, 4e-6F);
}

}  // namespace

TEST_CASE("fused convolutions equal plain ones for groups, strides, dilations and ranks",
          "[engine]") {
  check_conv({2, 6, 9, 8}, {4, 6, 3, 3}, nothing);
  check_conv({2, 6, 9, 8}, {4, 6, 3, 3}, nothing, false);
  check_conv({2, 6, 9, 8}, {9, 2, 3, 2}, [](NodeBuilder n) { n.with("group", 3); });
  check_conv({2, 6, 9, 8}, {6, 1, 3, 3}, [](NodeBuilder n) { n.with("group", 6); });
  check_conv({2, 6, 9, 8}, {12, 1, 5, 3}, [](NodeBuilder n) { n.with("group", 6); });
  check_conv({1, 3, 11, 9}, {5, 3, 3, 3}, [](NodeBuilder n) {
    n.with("strides", std::vector<int64_t>{2, 3}).with("pads", std::vector<int64_t>{1, 0, 2, 1});
  });
  check_conv({1, 3, 11, 12}, {5, 3, 3, 3}, [](NodeBuilder n) {
    n.with("dilations", std::vector<int64_t>{2, 3});
  });
  check_conv({2, 3, 17}, {4, 3, 5},
             [](NodeBuilder n) { n.with("strides", std::vector<int64_t>{2}); });
  check_conv({1, 2, 6, 5, 7}, {3, 2, 2, 3, 3}, nothing);
  check_conv({4, 16, 5, 5}, {8, 16, 1, 1}, nothing);
}

TEST_CASE("fused convolutions place automatic padding like plain ones", "[engine]") {
  for (const std::string pad : {"SAME_UPPER", "SAME_LOWER", "VALID"}) {
    CAPTURE(pad);
    check_conv({1, 3, 10, 9}, {4, 3, 4, 3}, [&](NodeBuilder n) {
      n.with("auto_pad", pad).with("strides", std::vector<int64_t>{2, 2});
    });
  }
}

TEST_CASE("BatchNormalization folds into the convolution before it", "[engine]") {
  ModelBuilder builder = after_conv();
  add_batch_norm(builder, "c", "n");
  builder.node("Relu", {"n"}, {"y"});
  check_tail(builder, "y");
}

TEST_CASE("activations fuse into the convolution before them", "[engine]") {
  for (const std::string op :
       {"Relu", "HardSwish", "Sigmoid", "Tanh", "LeakyRelu", "Elu", "HardSigmoid", "Abs"}) {
    CAPTURE(op);
    ModelBuilder builder = after_conv();
    add_batch_norm(builder, "c", "n");
    builder.node(op, {"n"}, {"y"});
    check_tail(builder, "y");
  }
}

TEST_CASE("Clip, PRelu and Swish after a convolution equal the plain kernels", "[engine]") {
  ModelBuilder clip = after_conv();
  clip.weight("low", Tensor::scalar(-0.25F)).weight("high", Tensor::scalar(0.75F));
  clip.node("Clip", {"c", "low", "high"}, {"y"});
  check_tail(clip, "y");
  ModelBuilder prelu = after_conv();
  prelu.weight("slope", noise({8, 1, 1}, 7));
  prelu.node("PRelu", {"c", "slope"}, {"y"});
  check_tail(prelu, "y");
  ModelBuilder swish = after_conv();
  swish.node("Sigmoid", {"c"}, {"s"});
  swish.node("Mul", {"c", "s"}, {"y"});
  check_tail(swish, "y");
}

TEST_CASE("a HardSwish written as Add, Clip, Mul, Div is recognised", "[engine]") {
  ModelBuilder builder = after_conv();
  builder.weight("three", Tensor::scalar(3.0F)).weight("six", Tensor::scalar(6.0F));
  builder.weight("none", Tensor::scalar(0.0F));
  builder.node("Add", {"c", "three"}, {"a"});
  builder.node("Clip", {"a", "none", "six"}, {"k"});
  builder.node("Mul", {"c", "k"}, {"m"});
  builder.node("Div", {"m", "six"}, {"y"});
  check_tail(builder, "y");
}

TEST_CASE("residual additions fuse in both operand orders, with functions behind", "[engine]") {
  for (const bool swapped : {false, true}) {
    CAPTURE(swapped);
    ModelBuilder builder = after_conv();
    builder.weight("w2", noise({8, 8, 3, 3}, 11));
    builder.node("Relu", {"c"}, {"r"});
    builder.node("Conv", {"r", "w2"}, {"d"}).with("pads", std::vector<int64_t>{1, 1, 1, 1});
    builder.node("Add",
                 swapped ? std::vector<std::string>{"r", "d"} : std::vector<std::string>{"d", "r"},
                 {"s"});
    builder.node("Relu", {"s"}, {"y"});
    check_tail(builder, "y");
  }
}

TEST_CASE("an addition of two convolutions is computed once each", "[engine]") {
  ModelBuilder builder = after_conv();
  builder.weight("w2", noise({8, 4, 1, 1}, 11));
  builder.node("Conv", {"x", "w2"}, {"d"});
  builder.node("Add", {"c", "d"}, {"s"});
  builder.node("Relu", {"s"}, {"y"});
  check_tail(builder, "y");
}

TEST_CASE("an addition of a value to itself is not taken for a residual", "[engine]") {
  ModelBuilder builder = after_conv();
  builder.node("Add", {"c", "c"}, {"y"});
  check_tail(builder, "y");
}

TEST_CASE("transposed convolutions equal plain ones", "[engine]") {
  struct Case {
    Dims weights;
    int64_t groups;
    std::vector<int64_t> strides, pads, output_padding;
  };
  for (const Case& c : {Case{{4, 6, 3, 3}, 1, {1, 1}, {0, 0, 0, 0}, {0, 0}},
                        Case{{4, 6, 3, 3}, 1, {2, 2}, {1, 1, 1, 1}, {1, 1}},
                        Case{{4, 3, 2, 2}, 2, {2, 2}, {0, 0, 0, 0}, {0, 0}},
                        Case{{4, 1, 4, 4}, 4, {2, 2}, {1, 1, 1, 1}, {0, 0}}}) {
    CAPTURE(dims_text(c.weights), c.groups);
    ModelBuilder builder(13);
    builder.input("x", {2, 4, 5, 6}).weight("w", noise(c.weights, 1));
    builder.weight("b", noise({c.weights[1] * c.groups}, 2));
    builder.node("ConvTranspose", {"x", "w", "b"}, {"y"})
        .with("group", c.groups)
        .with("strides", c.strides)
        .with("pads", c.pads)
        .with("output_padding", c.output_padding);
    builder.output("y");
    check_fused(builder.build(), {noise({2, 4, 5, 6}, 3)});
  }
}

TEST_CASE("Gemm equals the plain kernel in every transposition and with alpha and beta",
          "[engine]") {
  for (const bool left : {false, true}) {
    for (const bool right : {false, true}) {
      for (const float factor : {1.0F, 0.5F}) {
        CAPTURE(left, right, factor);
        ModelBuilder builder(13);
        builder.input("x", left ? Dims{7, 5} : Dims{5, 7});
        builder.weight("w", noise(right ? Dims{6, 7} : Dims{7, 6}, 1)).weight("b", noise({6}, 2));
        builder.node("Gemm", {"x", "w", "b"}, {"g"})
            .with("transA", left ? 1 : 0)
            .with("transB", right ? 1 : 0)
            .with("alpha", factor)
            .with("beta", 2 * factor);
        builder.node("Relu", {"g"}, {"y"});
        builder.output("y");
        check_fused(builder.build(), {noise(left ? Dims{7, 5} : Dims{5, 7}, 3)});
      }
    }
  }
}

TEST_CASE("MatMul with constant and with computed sides equals the plain kernel", "[engine]") {
  ModelBuilder constant(13);
  constant.input("x", {2, 3, 7}).weight("w", noise({7, 4}, 1)).weight("b", noise({4}, 2));
  constant.node("MatMul", {"x", "w"}, {"m"});
  constant.node("Add", {"m", "b"}, {"y"});
  constant.output("y");
  check_fused(constant.build(), {noise({2, 3, 7}, 3)});
  ModelBuilder computed(13);
  computed.input("x", {2, 3, 7}).input("z", {7, 5});
  computed.node("MatMul", {"x", "z"}, {"y"});
  computed.output("y");
  check_fused(computed.build(), {noise({2, 3, 7}, 3), noise({7, 5}, 4)});
}

TEST_CASE("pooling equals the plain kernels with ceil_mode and count_include_pad", "[engine]") {
  for (const std::string op : {"MaxPool", "AveragePool"}) {
    for (const int ceil : {0, 1}) {
      for (const int include : {0, 1}) {
        CAPTURE(op, ceil, include);
        ModelBuilder builder = after_conv();
        NodeBuilder node = builder.node(op, {"c"}, {"y"});
        node.with("kernel_shape", std::vector<int64_t>{3, 2})
            .with("strides", std::vector<int64_t>{2, 2})
            .with("pads", std::vector<int64_t>{1, 0, 1, 1})
            .with("ceil_mode", ceil);
        if (op == "AveragePool") node.with("count_include_pad", include);
        check_tail(builder, "y");
      }
    }
  }
}

TEST_CASE("global pooling and ReduceMean over the image equal the plain kernels", "[engine]") {
  for (const std::string op : {"GlobalAveragePool", "GlobalMaxPool"}) {
    CAPTURE(op);
    ModelBuilder builder = after_conv();
    builder.node(op, {"c"}, {"y"});
    check_tail(builder, "y");
  }
  for (const int keep : {0, 1}) {
    ModelBuilder builder = after_conv();
    builder.node("ReduceMean", {"c"}, {"y"})
        .with("axes", std::vector<int64_t>{2, 3})
        .with("keepdims", keep);
    check_tail(builder, "y");
  }
}

TEST_CASE("Resize and Concat behind convolutions equal the plain kernels", "[engine]") {
  for (const std::string mode : {"nearest", "linear"}) {
    ModelBuilder builder = after_conv();
    builder.weight("roi", Tensor::allocate(DataType::kFloat, {0}));
    builder.weight("scales", floats({1, 1, 2, 2}));
    builder.node("Resize", {"c", "roi", "scales"}, {"y"}).with("mode", mode);
    check_tail(builder, "y");
  }
  for (const int axis : {1, 2, -3, -1, 0}) {
    CAPTURE(axis);
    ModelBuilder builder = after_conv();
    builder.node("Relu", {"c"}, {"r"});
    builder.node("Concat", {"c", "r", "c"}, {"y"}).with("axis", axis);
    check_tail(builder, "y");
  }
}

TEST_CASE("element-wise operators broadcast alike in both orders of bytes", "[engine]") {
  for (const std::string op : {"Add", "Sub", "Mul", "Div", "Max", "Min"}) {
    for (const Dims& dims : {Dims{8, 1, 1}, Dims{1, 8, 1, 1}, Dims{7}, Dims{1}}) {
      CAPTURE(op, dims_text(dims));
      ModelBuilder builder = after_conv();
      builder.node("Softplus", {"c"}, {"s"});  // no fused form: keeps the convolution apart
      builder.weight("k", positive_noise(dims, 5));
      builder.node(op, {"s", "k"}, {"y"});
      check_tail(builder, "y");
    }
  }
}

}  // namespace limbeck::test
