// Costs of small graphs, by hand.
#include "lib/model/analysis.h"

#include <catch2/catch_test_macros.hpp>

#include "lib/ops/op.h"
#include "tests/model/rich_model.h"
#include "tests/support/paths.h"

using namespace limbeck;
using test::ModelBuilder;
using test::noise;
using Ints = std::vector<int64_t>;

namespace {

ModelSummary summary_of(const ModelBuilder& builder) {
  Model model = builder.build();
  infer_shapes(model);
  return analyse(model);
}

/// MACs of one node over x with weight w.
int64_t macs_of(const std::string& op, const Dims& x, const Dims& w,
                const std::vector<std::pair<std::string, Ints>>& attributes = {}) {
  ModelBuilder builder(13);
  builder.input("x", x).output("y").weight("w", noise(w, 1));
  auto node = builder.node(op, {"x", "w"}, {"y"});
  for (const auto& [name, value] : attributes) {
    if (value.size() == 1) node.with(name, value[0]);
    if (value.size() > 1) node.with(name, value);
  }
  const ModelSummary summary = summary_of(builder);
  REQUIRE(summary.costs.size() == 1);
  return summary.costs[0].macs;
}

}  // namespace

TEST_CASE("MACs are output elements times the length of their sums", "[model]") {
  // 6x6 positions, 4 filters of 3x3x3.
  CHECK(macs_of("Conv", {1, 3, 8, 8}, {4, 3, 3, 3}) == 36 * 4 * 27);
  CHECK(macs_of("Conv", {1, 3, 8, 8}, {4, 3, 3, 3}, {{"strides", {2, 2}}}) == 9 * 4 * 27);
  // Depthwise: one filter of 3x3 a channel.
  CHECK(macs_of("Conv", {1, 4, 8, 8}, {4, 1, 3, 3}, {{"group", {4}}}) == 36 * 4 * 9);
  // Every input element meets the 5 output channels of its 2x2 window.
  CHECK(macs_of("ConvTranspose", {1, 3, 4, 4}, {3, 5, 2, 2}) == 48 * 20);
  CHECK(macs_of("Gemm", {1, 7}, {7, 5}) == 35);
  CHECK(macs_of("Gemm", {1, 7}, {5, 7}, {{"transB", {1}}}) == 35);
  CHECK(macs_of("MatMul", {1, 6, 7}, {7, 5}) == 6 * 35);
}

TEST_CASE("costs are for one sample, whatever the batch", "[model]") {
  CHECK(macs_of("Conv", {-1, 3, 8, 8}, {4, 3, 3, 3}) == 3888);
  CHECK(macs_of("Conv", {16, 3, 8, 8}, {4, 3, 3, 3}) == 3888);
}

TEST_CASE("peak memory counts what is alive while a node runs", "[model]") {
  ModelBuilder builder(13);
  builder.input("x", {-1, 10}).output("y");
  builder.node("Concat", {"x", "x", "x"}, {"wide"}).with("axis", 1);  // 40 + 120 bytes
  builder.node("Relu", {"wide"}, {"relu"});                           // 120 + 120 bytes, x is gone
  builder.node("ReduceSum", {"relu"}, {"y"}).with("keepdims", 1);     // 120 + 4 bytes
  const ModelSummary summary = summary_of(builder);
  CHECK(summary.peak_activation_bytes == 240);
  CHECK(summary.peak_node == "n1");
  CHECK(summary.values_of_unknown_size == 0);
}

TEST_CASE("parameters are weights, not shapes", "[model]") {
  ModelBuilder builder(13);
  builder.input("x", {1, 4}).output("y");
  builder.weight("w", noise({4, 4}, 1)).weight("shape", test::ints({2, 2}));
  builder.node("MatMul", {"x", "w"}, {"m"});
  builder.node("Constant", {}, {"k"}).with("value", test::floats({1, 2, 3, 4}));
  builder.node("Add", {"m", "k"}, {"s"});
  builder.node("Reshape", {"s", "shape"}, {"y"});
  const ModelSummary summary = summary_of(builder);
  CHECK(summary.parameters == 20);
  CHECK(summary.weight_bytes == 80);
}

TEST_CASE("quantized and quantizable shares are by MACs", "[model]") {
  ModelBuilder builder(13);
  builder.input("x", {1, 4}).output("y");
  builder.weight("scale", Tensor::scalar(0.1F)).weight("zero", Tensor::scalar<int8_t>(0));
  builder.weight("w", Tensor::zeros(DataType::kInt8, {4, 6})).weight("v", noise({6, 3}, 1));
  builder.node("QuantizeLinear", {"x", "scale", "zero"}, {"xq"});
  builder.node("DequantizeLinear", {"xq", "scale", "zero"}, {"xd"});
  builder.node("DequantizeLinear", {"w", "scale", "zero"}, {"wd"});
  builder.node("MatMul", {"xd", "wd"}, {"m"});  // 24 MACs, quantized
  builder.node("MatMul", {"m", "v"}, {"y"});    // 18 MACs, float
  const ModelSummary summary = summary_of(builder);
  CHECK(summary.macs == 42);
  CHECK(summary.quantized_nodes == 1);
  CHECK(summary.quantizable_nodes == 1);
  CHECK(summary.quantized_mac_share == 24.0 / 42.0);
  CHECK(summary.quantizable_mac_share == 18.0 / 42.0);
}

TEST_CASE("what cannot be known is counted as such", "[model]") {
  ModelBuilder builder(13);
  builder.input("x", {1, 3, 8, 8}).output("y").weight("w", noise({4, 3, 3, 3}, 1));
  builder.node("Mystery", {"x"}, {"m"}).in_domain("com.example");
  builder.node("Conv", {"m", "w"}, {"y"});
  const ModelSummary summary = summary_of(builder);
  CHECK(summary.macs == 0);
  CHECK(summary.nodes_of_unknown_macs == 1);
  CHECK(summary.values_of_unknown_size == 2);
  CHECK(summary.quantizable_mac_share == 0.0);
  CHECK(summary.operators[1].domain == "com.example");
}

TEST_CASE("subgraphs and functions are counted beside the nodes", "[model]") {
  const ModelSummary summary = analyse(parse_model(test::rich_model().SerializeAsString(), "."));
  CHECK(summary.nodes == 5);
  CHECK(summary.subgraph_nodes == 2);
  CHECK(summary.functions == 1);
  CHECK(summary.producer == "rich 1.2");
}

TEST_CASE("the MACs of trained networks are those that their shapes give", "[model]") {
  const auto check = [](const char* name, int64_t macs, int64_t parameters) {
    const auto path = test::large_data(name);
    if (!path) return;
    INFO(name);
    Model model = load_model(*path);
    infer_shapes(model);
    const ModelSummary summary = analyse(model);
    CHECK(summary.macs == macs);
    CHECK(summary.parameters == parameters);
    CHECK(summary.nodes_of_unknown_macs == 0);
    CHECK(summary.quantizable_mac_share == 1.0);
  };
  // From the shapes that another runtime computed. He 2016 gives 41 M for ResNet-20; the authors of
  // EfficientNet-lite0 give 0.407 G.
  check("models/cifar10_resnet20.onnx", 40813184, 271690);
  check("models/cifar10_mobilenetv2.onnx", 6730240, 73658);
  check("models/efficientnet_lite0.onnx", 385187552, 4631083);
}

TEST_CASE("dequantized weights are no activations", "[model]") {
  // x and y hold 40 bytes each; the weights would hold 400 more.
  ModelBuilder builder(13);
  builder.input("x", {1, 10}).output("y");
  builder.weight("q", Tensor::zeros(DataType::kInt8, {10, 10})).weight("s", Tensor::scalar(0.5F));
  builder.node("DequantizeLinear", {"q", "s"}, {"w"});
  builder.node("Transpose", {"w"}, {"t"});
  builder.node("MatMul", {"x", "t"}, {"y"});
  const ModelSummary summary = summary_of(builder);
  CHECK(summary.peak_activation_bytes == 80);
  CHECK(summary.peak_node == "n2");
}

TEST_CASE("random values drawn with constant parameters are activations", "[model]") {
  ModelBuilder builder(13);
  builder.input("x", {1, 10}).output("y").weight("like", test::noise({1, 10}, 1));
  builder.node("RandomNormalLike", {"like"}, {"r"});
  builder.node("Add", {"x", "r"}, {"y"});
  auto* info = builder.proto().mutable_graph()->add_value_info();
  *info = builder.proto().graph().input(0);
  info->set_name("r");
  CHECK(summary_of(builder).peak_activation_bytes == 120);
}
