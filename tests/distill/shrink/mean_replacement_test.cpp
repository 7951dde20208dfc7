// A channel that is always the same can go without a trace: its readers go on with its value.
#include "lib/distill/shrink/mean_replacement.h"

#include "lib/distill/shrink/cut_channels.h"
#include "lib/ops/op.h"
#include "tests/distill/shrink/shrink_support.h"

using namespace limbeck;
using namespace limbeck::test;

namespace {

/// Channels 1 and 2 of `a` are constant: their filters are zero, their biases are not.
ModelBuilder constant_channels() {
  ModelBuilder builder(17);
  builder.input("image", {-1, 3, 5, 5});
  builder.weight("a.w", noise_without({4, 3, 1, 1}, 1, 0, {1, 2}));
  builder.weight("a.b", floats({0.1F, 0.7F, 0.4F, -0.2F}));
  add_conv(builder, "image", "a", "x");
  builder.node("Relu", {"x"}, {"r"});
  return builder;
}

/// Cuts the constant channels and restores their means.
void check_replaced(ModelBuilder& builder, const std::vector<size_t>& constant = {1, 2}) {
  builder.output("y");
  const Model teacher = builder.build();
  Model student = copy_model(teacher);
  infer_shapes(student);
  const ChannelMap map = map_channels(student);
  const Labels labels = *map.find(student.graph.find("a.w"), 0);
  std::set<int32_t> cut;
  for (const size_t channel : constant) cut.insert(map.root(labels[channel]));
  const NoiseData data({3, 5, 5}, 8);
  const auto means = lost_means(student, map, cut, {data}, 8);
  REQUIRE(means.size() == 1);
  cut_channels(student, map, group_channels(student, map), cut);
  restore_means(student, means);
  CHECK(student.graph.find("a.w")->constant()->dim(0) ==
        static_cast<int64_t>(labels.size() - constant.size()));
  check_same_outputs(teacher, student, {{"image", noise({2, 3, 5, 5}, 9)}});
}

}  // namespace

TEST_CASE("a convolution's bias takes over what constant inputs gave", "[distill][shrink]") {
  ModelBuilder builder = constant_channels();
  add_filters(builder, "b", {6, 4, 3, 3}, 2, {});
  add_conv(builder, "r", "b", "y");
  check_replaced(builder);
}

TEST_CASE("a convolution without bias gets one", "[distill][shrink]") {
  ModelBuilder builder = constant_channels();
  builder.weight("b.w", noise({6, 4, 3, 3}, 2));
  builder.node("Conv", {"r", "b.w"}, {"y"});
  check_replaced(builder);
}

TEST_CASE("each of two groups takes over what its own inputs gave", "[distill][shrink]") {
  ModelBuilder builder(17);
  builder.input("image", {-1, 3, 5, 5});
  // The same places of both groups, 1 and 4 of six channels, are constant.
  builder.weight("a.w", noise_without({6, 3, 1, 1}, 1, 0, {1, 4}));
  builder.weight("a.b", floats({0.1F, 0.7F, 0.3F, -0.2F, 0.4F, 0.6F}));
  add_conv(builder, "image", "a", "x");
  add_filters(builder, "b", {6, 3, 3, 3}, 2, {});
  add_conv(builder, "x", "b", "y").with("group", 2);
  check_replaced(builder, {1, 4});
}

TEST_CASE("a running mean gives way where BatchNormalization follows", "[distill][shrink]") {
  ModelBuilder builder = constant_channels();
  builder.weight("b.w", noise({6, 4, 3, 3}, 2));
  builder.weight("scale", noise({6}, 3)).weight("shift", noise({6}, 4));
  builder.weight("mean", noise({6}, 5)).weight("var", positive_noise({6}, 6));
  builder.node("Conv", {"r", "b.w"}, {"z"});
  builder.node("BatchNormalization", {"z", "scale", "shift", "mean", "var"}, {"y"});
  check_replaced(builder);
}

TEST_CASE("a Gemm takes over the mean of flattened columns", "[distill][shrink]") {
  ModelBuilder builder = constant_channels();
  builder.weight("fc.w", noise({100, 5}, 2)).weight("fc.b", noise({5}, 3));
  builder.node("Flatten", {"r"}, {"flat"});
  builder.node("Gemm", {"flat", "fc.w", "fc.b"}, {"y"});
  check_replaced(builder);
}
