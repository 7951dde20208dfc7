#include <catch2/catch_test_macros.hpp>
#include <cmath>

#include "lib/quantize/passes/passes.h"
#include "tests/support/model_builder.h"
#include "tests/support/reference_run.h"

using namespace limbeck;
using namespace limbeck::test;

namespace {

/// x -> `op` -> conv -> BatchNormalization -> y with `channels` output channels.
ModelBuilder with_batch_norm(const std::string& op, const Tensor& weight, int64_t channels,
                             const Dims& input) {
  ModelBuilder b(13);
  b.input("x", input).weight("w", weight).weight("b", noise({channels}, 2));
  b.weight("s", noise({channels}, 3)).weight("t", noise({channels}, 4));
  b.weight("m", noise({channels}, 5)).weight("v", positive_noise({channels}, 6));
  b.node(op, {"x", "w", "b"}, {"conv"});
  b.node("BatchNormalization", {"conv", "s", "t", "m", "v"}, {"norm"}).with("epsilon", 0.01F);
  b.node("Relu", {"norm"}, {"y"});
  b.output("y");
  return b;
}

void check_folds(const Model& before, const NamedTensors& inputs) {
  Model after = copy_model(before);
  CHECK(fold_batch_norm(after.graph, after.opset()) == 1);
  after.graph.remove_dead();
  CHECK(after.graph.nodes().size() == before.graph.nodes().size() - 1);
  check_same_outputs(before, after, inputs);
}

}  // namespace

TEST_CASE("batch norm behind a convolution disappears and leaves its name to the convolution",
          "[passes]") {
  Model model = with_batch_norm("Conv", noise({4, 3, 3, 3}, 1), 4, {1, 3, 6, 6}).build();
  REQUIRE(model.graph.dump() ==
          "conv = Conv(x, w, b)\nnorm = BatchNormalization(conv, s, t, m, v)\ny = "
          "Relu(norm)\nreturn y\n");
  CHECK(fold_batch_norm(model.graph, 13) == 1);
  model.graph.remove_dead();
  CHECK(model.graph.dump() == "norm = Conv(x, w, b)\ny = Relu(norm)\nreturn y\n");
  CHECK(model.graph.find("s") == nullptr);
}

TEST_CASE("folded batch norm has the weights one computes by hand", "[passes]") {
  ModelBuilder b(13);
  b.input("x", {1, 1, 2}).weight("w", Tensor::from<float>({1, 1, 1}, {2}));
  b.weight("s", floats({3}))
      .weight("t", floats({5}))
      .weight("m", floats({1}))
      .weight("v", floats({4}));
  b.node("Conv", {"x", "w"}, {"conv"});
  b.node("BatchNormalization", {"conv", "s", "t", "m", "v"}, {"y"}).with("epsilon", 0.0F);
  Model model = b.output("y").build();
  REQUIRE(fold_batch_norm(model.graph, 13) == 1);
  // y = 3 * (2x - 1) / 2 + 5 = 3x + 3.5
  const Node& conv = *model.graph.nodes().front();
  CHECK(conv.input(1)->constant()->to_float() == std::vector<float>{3.0F});
  CHECK(conv.input(2)->constant()->to_float() == std::vector<float>{3.5F});
  CHECK(model.graph.dump() == "y = Conv(x, w, conv_bias)\nreturn y\n");
}

TEST_CASE("folding batch norm leaves what a grouped convolution computes as it was", "[passes]") {
  ModelBuilder b = with_batch_norm("Conv", noise({6, 2, 3, 3}, 1), 6, {2, 4, 6, 6});
  NodeBuilder(b.proto().mutable_graph()->mutable_node(0)).with("group", 2);
  check_folds(b.build(), {{"x", noise({2, 4, 6, 6}, 7)}});
}

TEST_CASE("a transposed convolution is scaled along its second axis, group by group", "[passes]") {
  ModelBuilder b = with_batch_norm("ConvTranspose", noise({4, 3, 2, 2}, 1), 6, {1, 4, 3, 3});
  NodeBuilder(b.proto().mutable_graph()->mutable_node(0)).with("group", 2);
  Model model = b.build();
  Model folded = copy_model(model);
  REQUIRE(fold_batch_norm(folded.graph, 13) == 1);
  const auto before = model.graph.find("w")->constant()->to_float();
  const auto after = folded.graph.find("w")->constant()->to_float();
  const auto scale_of = [&](size_t input, size_t filter) {
    const size_t at = (input * 3 + filter) * 4;
    return after[at] / before[at];
  };
  // Inputs 0 and 1 make channels 0 to 2, inputs 2 and 3 channels 3 to 5.
  const auto s = model.graph.find("s")->constant()->to_float();
  const auto v = model.graph.find("v")->constant()->to_float();
  for (size_t input = 0; input < 4; ++input) {
    for (size_t filter = 0; filter < 3; ++filter) {
      const size_t channel = input / 2 * 3 + filter;
      CHECK(std::abs(scale_of(input, filter) - s[channel] / std::sqrt(v[channel] + 0.01F)) < 1e-4F);
    }
  }
}

TEST_CASE("batch norm folds into Gemm in both transpositions, with alpha and beta", "[passes]") {
  for (const int64_t transposed : {0, 1}) {
    ModelBuilder b =
        with_batch_norm("Gemm", noise(transposed != 0 ? Dims{5, 3} : Dims{3, 5}, 1), 5, {2, 3});
    NodeBuilder(b.proto().mutable_graph()->mutable_node(0))
        .with("transB", transposed)
        .with("alpha", 0.5F)
        .with("beta", 2.0F);
    check_folds(b.build(), {{"x", noise({2, 3}, 7)}});
  }
}

TEST_CASE("a weight that another node reads is copied before it is changed", "[passes]") {
  ModelBuilder b = with_batch_norm("Conv", noise({3, 3, 1, 1}, 1), 3, {1, 3, 4, 4});
  b.node("Conv", {"x", "w", "b"}, {"z"});
  const Model before = b.output("z").build();
  check_folds(before, {{"x", noise({1, 3, 4, 4}, 7)}});
}

TEST_CASE("a convolution whose output is read twice keeps its batch norm", "[passes]") {
  ModelBuilder b = with_batch_norm("Conv", noise({3, 3, 1, 1}, 1), 3, {1, 3, 4, 4});
  b.node("Sigmoid", {"conv"}, {"z"});
  Model model = b.output("z").build();
  CHECK(fold_batch_norm(model.graph, 13) == 0);
}

TEST_CASE("batch norm that is a graph output folds and the output keeps its name", "[passes]") {
  ModelBuilder b = with_batch_norm("Conv", noise({3, 3, 1, 1}, 1), 3, {1, 3, 4, 4});
  const Model before = b.output("norm").build();
  check_folds(before, {{"x", noise({1, 3, 4, 4}, 7)}});
}

TEST_CASE("batch norm in training mode stays", "[passes]") {
  ModelBuilder b = with_batch_norm("Conv", noise({3, 3, 1, 1}, 1), 3, {1, 3, 4, 4});
  NodeBuilder(b.proto().mutable_graph()->mutable_node(1)).with("training_mode", 1);
  Model model = b.build();
  CHECK(fold_batch_norm(model.graph, 15) == 0);
}
