// The Softmax family and the normalisations: the same results before and after.
#include "tests/model/upgrade_case.h"

using namespace limbeck;
using test::check_error;
using test::check_upgrade;
using test::ModelBuilder;
using test::noise;
using test::upgrade_error;
using test::upgraded;

namespace {

/// x -> op -> y with an axis; 99 leaves it at its default.
ModelBuilder softmax(const std::string& op, const Dims& dims, int64_t axis) {
  ModelBuilder builder(11);
  builder.input("x", dims).output("y");
  auto node = builder.node(op, {"x"}, {"y"});
  if (axis != 99) node.with("axis", axis);
  return builder;
}

const char* const kFlattened =
    "y_flat_input = Flatten(x)\ny_shape = Shape(x)\ny_flat = OP(y_flat_input)\n"
    "y = Reshape(y_flat, y_shape)\nreturn y\n";

std::string flattened(const std::string& op) {
  std::string text = kFlattened;
  return text.replace(text.find("OP"), 2, op);
}

ModelBuilder batch_norm(int64_t opset) {
  ModelBuilder builder(opset);
  builder.input("x", {2, 3, 4}).output("y");
  builder.weight("scale", noise({3}, 1)).weight("bias", noise({3}, 2));
  builder.weight("mean", noise({3}, 3)).weight("variance", test::positive_noise({3}, 4));
  return builder;
}

const std::vector<std::string> kBatchNormInputs{"x", "scale", "bias", "mean", "variance"};

}  // namespace

TEST_CASE("a Softmax over the last axis keeps its form in opset 13", "[model]") {
  for (const int64_t axis : {int64_t{-1}, int64_t{2}}) {
    CHECK(check_upgrade(softmax("Softmax", {2, 3, 4}, axis), 13, {{"x", noise({2, 3, 4}, 1)}}) ==
          "y = Softmax(x)\nreturn y\n");
  }
}

TEST_CASE("the default axis of Softmax stays 1", "[model]") {
  const ModelBuilder builder = softmax("Softmax", {3, 5}, 99);
  check_upgrade(builder, 13, {{"x", noise({3, 5}, 1)}});
  CHECK(upgraded(builder, 13).graph.nodes().front()->int_attribute("axis", -1) == 1);
}

TEST_CASE("a Softmax over several axes is flattened in opset 13", "[model]") {
  for (const std::string op : {"Softmax", "LogSoftmax"}) {
    INFO(op);
    for (const int64_t axis : {int64_t{99}, int64_t{-3}, int64_t{0}}) {
      CHECK(check_upgrade(softmax(op, {2, 3, 4, 2}, axis), 13, {{"x", noise({2, 3, 4, 2}, 1)}}) ==
            flattened(op));
    }
  }
  CHECK(upgraded(softmax("Hardmax", {2, 3, 4}, 1), 13).graph.dump() == flattened("Hardmax"));
}

TEST_CASE("trailing axes of size one need no flattening", "[model]") {
  CHECK(check_upgrade(softmax("Softmax", {2, 5, 1, 1}, 1), 13, {{"x", noise({2, 5, 1, 1}, 1)}}) ==
        "y = Softmax(x)\nreturn y\n");
}

TEST_CASE("a Softmax of unknown shape is flattened, which is always right", "[model]") {
  ModelBuilder builder = softmax("Softmax", {2, 5}, 1);
  builder.proto()
      .mutable_graph()
      ->mutable_input(0)
      ->mutable_type()
      ->mutable_tensor_type()
      ->clear_shape();
  CHECK(check_upgrade(builder, 13, {{"x", noise({2, 5}, 1)}}) == flattened("Softmax"));
}

TEST_CASE("a flattened Softmax in the middle of a graph keeps the names around it", "[model]") {
  ModelBuilder builder(11);
  builder.input("x", {2, 3, 4}).output("y");
  builder.node("Softmax", {"x"}, {"s"}).with("axis", 1);
  builder.node("Relu", {"s"}, {"y"});
  const std::string dump = check_upgrade(builder, 21, {{"x", noise({2, 3, 4}, 1)}});
  CHECK(dump.find("s = Reshape(s_flat, s_shape)\ny = Relu(s)\n") != std::string::npos);
}

TEST_CASE("BatchNormalization in inference form passes every opset", "[model]") {
  ModelBuilder builder = batch_norm(7);
  builder.node("BatchNormalization", kBatchNormInputs, {"y"}).with("epsilon", 0.01F);
  for (const int64_t target : {9, 13, 14, 15, 21})
    check_upgrade(builder, target, {{"x", noise({2, 3, 4}, 5)}});
  ModelBuilder spatial = batch_norm(7);
  spatial.node("BatchNormalization", kBatchNormInputs, {"y"}).with("spatial", 1);
  CHECK_FALSE(upgraded(spatial, 9).graph.nodes().front()->has_attribute("spatial"));
}

TEST_CASE("a BatchNormalization per element cannot pass opset 9", "[model]") {
  ModelBuilder builder = batch_norm(8);
  builder.node("BatchNormalization", kBatchNormInputs, {"y"}).with("spatial", 0);
  check_error(upgrade_error(builder, 13), Category::kUnsupported, "node 'n0' (BatchNormalization)",
              "BatchNormalization must normalise per channel from opset 9 on", "spatial = 0");
}

TEST_CASE("a BatchNormalization in training form cannot pass opset 14", "[model]") {
  ModelBuilder builder = batch_norm(9);
  builder.node("BatchNormalization", kBatchNormInputs, {"y", "m", "v", "sm", "sv"});
  Model fits = builder.build();
  upgrade_opset(fits, 13);
  Model model = builder.build();
  check_error(test::error_of([&] { upgrade_opset(model, 14); }), Category::kUnsupported,
              "node 'n0' (BatchNormalization)",
              "BatchNormalization must be in inference mode, with one output", "5 outputs");
}

TEST_CASE("GroupNormalization takes one scale a channel from opset 21 on", "[model]") {
  ModelBuilder builder(18);
  builder.input("x", {1, 4, 3}).output("y");
  builder.weight("scale", test::floats({2, 3})).weight("bias", test::floats({0.5F, -1}));
  builder.node("GroupNormalization", {"x", "scale", "bias"}, {"y"}).with("num_groups", 2);
  const Model after = upgraded(builder, 21);
  CHECK(after.graph.dump() == "y = GroupNormalization(x, y_scale, y_bias)\nreturn y\n");
  CHECK(after.graph.find("y_scale")->constant()->to_float() == std::vector<float>{2, 2, 3, 3});
  CHECK(after.graph.find("y_bias")->constant()->to_float() ==
        std::vector<float>{0.5F, 0.5F, -1, -1});
}

TEST_CASE("a GroupNormalization whose scale is computed cannot pass opset 21", "[model]") {
  ModelBuilder builder(18);
  builder.input("x", {1, 4, 3}).input("scale", {2}).output("y");
  builder.weight("bias", test::floats({0, 1}));
  builder.node("GroupNormalization", {"x", "scale", "bias"}, {"y"}).with("num_groups", 2);
  check_error(upgrade_error(builder, 21), Category::kUnsupported, "node 'n0' (GroupNormalization)",
              "scale and bias must be float constants, one number a group, of a known number of "
              "channels",
              "something else");
}
