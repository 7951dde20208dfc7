// BatchNormalization put back, and its statistics after a change.
#include "lib/distill/shrink/normalizations.h"

#include "lib/ops/op.h"
#include "tests/distill/shrink/shrink_support.h"

using namespace limbeck;
using namespace limbeck::test;

namespace {

Model two_convolutions() {
  ModelBuilder builder(17);
  builder.input("image", {-1, 3, 6, 6});
  add_filters(builder, "a", {8, 3, 3, 3}, 1, {});
  add_filters(builder, "b", {4, 8, 3, 3}, 2, {});
  add_conv(builder, "image", "a", "x");
  builder.node("Relu", {"x"}, {"r"});
  add_conv(builder, "r", "b", "y");
  builder.output("y");
  Model model = builder.build();
  infer_shapes(model);
  return model;
}

NamedTensors image() { return {{"image", noise({2, 3, 6, 6}, 77)}}; }

int norms_of(const Model& model) {
  int count = 0;
  for (const auto& node : model.graph.nodes()) count += node->op_type() == "BatchNormalization";
  return count;
}

}  // namespace

TEST_CASE("BatchNormalization that is put back changes nothing", "[distill][shrink]") {
  const Model before = two_convolutions();
  Model after = two_convolutions();
  const NoiseData data({3, 6, 6}, 32);
  unfold_normalizations(after, {data}, 32);
  CHECK(norms_of(after) == 2);
  check_same_outputs(before, after, image());
  unfold_normalizations(after, {data}, 32);
  CHECK(norms_of(after) == 2);
}

TEST_CASE("statistics measured anew take a change of scale and mean back", "[distill][shrink]") {
  const NoiseData data({3, 6, 6}, 64);
  Model before = two_convolutions();
  unfold_normalizations(before, {data}, 64);
  measure_statistics(before, {data}, 64);
  Model after = copy_model(before);
  Value* filters = after.graph.find("a.w");
  Tensor tripled = filters->constant()->clone();
  for (float& weight : tripled.mutable_as<float>()) weight *= 3;
  after.graph.set_constant(filters, tripled);
  after.graph.set_constant(after.graph.find("b.b"), noise({4}, 9));
  measure_statistics(after, {data}, 64);
  // What is left is epsilon beside the variance.
  check_same_outputs(before, after, image(), 1e-3F);
}

TEST_CASE("students made on data are normalised unless that is refused", "[distill][shrink]") {
  ModelBuilder builder(17);
  builder.input("image", {-1, 3, 6, 6});
  add_filters(builder, "a", {8, 3, 3, 3}, 1, {});
  add_conv(builder, "image", "a", "x");
  builder.node("Relu", {"x"}, {"r"});
  builder.weight("fc.w", noise({8, 4}, 5));
  builder.node("GlobalAveragePool", {"r"}, {"g"});
  builder.node("Flatten", {"g"}, {"flat"});
  builder.node("Gemm", {"flat", "fc.w"}, {"logits"});
  builder.output("logits");
  const Model teacher = builder.build();
  const NoiseData data({3, 6, 6}, 32);
  const ShrinkData on{data};
  ShrinkOptions options;
  options.macs = 0.5;
  const ShrinkResult result = shrink(teacher, options, &on);
  CHECK(norms_of(result.student) == 1);
  CHECK(dims_of(result, "n0.scale") == Dims{4});
  options.batch_norm = false;
  CHECK(norms_of(shrink(teacher, options, &on).student) == 0);
  CHECK(norms_of(shrink(teacher, options).student) == 0);
}
