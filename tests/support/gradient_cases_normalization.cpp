// Normalizations.
#include "tests/support/gradient_check.h"

namespace limbeck::test {
namespace {

GradientCase batch_norm(const char* what, const Dims& x, int64_t opset, bool training) {
  const Dims channels{x[1]};
  return {what,
          {.op = "BatchNormalization",
           .opset = opset,
           .inputs = {spread(x, 1), spread(channels, 2, 0.5, 1.5), spread(channels, 3),
                      spread(channels, 4), spread(channels, 5, 0.5, 1.5)},
           .attributes = [training](NodeBuilder& node) {
             node.with("epsilon", 0.01F);
             if (training) node.with("training_mode", 1);
           }}};
}

GradientCase layer_norm(const char* what, const Dims& scale, int64_t axis, bool bias) {
  std::vector<Tensor> inputs{spread({2, 3, 4}, 1), spread(scale, 2, 0.5, 1.5)};
  if (bias) inputs.push_back(spread(scale, 3));
  return {what,
          {.op = "LayerNormalization",
           .opset = 17,
           .inputs = inputs,
           .attributes = [axis](NodeBuilder& node) {
             node.with("axis", axis).with("epsilon", 0.01F);
           }}};
}

GradientCase lrn(const char* what, int64_t size, float alpha) {
  return {what,
          {.op = "LRN",
           .opset = 13,
           .inputs = {spread({2, 5, 2, 3}, 1, -2, 2)},
           .attributes = [=](NodeBuilder& node) {
             node.with("size", size).with("alpha", alpha).with("beta", 0.6F).with("bias", 1.2F);
           }}};
}

}  // namespace

GradientCases normalization_gradient_cases() {
  return {
      batch_norm("stored statistics", {2, 3, 2, 3}, 9, false),
      batch_norm("a matrix", {4, 3}, 15, false),
      batch_norm("opset 7", {2, 3, 4}, 7, false),
      batch_norm("statistics of the batch", {2, 3, 2, 3}, 15, true),
      {"one spatial position",
       {.op = "InstanceNormalization",
        .opset = 7,
        .inputs = {spread({2, 3, 4}, 1), spread({3}, 2, 0.5, 1.5), spread({3}, 3)}}},
      {"images",
       {.op = "InstanceNormalization",
        .opset = 7,
        .inputs = {spread({2, 2, 3, 2}, 1), spread({2}, 2, 0.5, 1.5), spread({2}, 3)},
        .attributes = [](NodeBuilder& node) { node.with("epsilon", 0.02F); }}},
      layer_norm("last axis", {4}, -1, true),
      layer_norm("two axes", {3, 4}, 1, true),
      layer_norm("no bias", {4}, -1, false),
      layer_norm("a repeated scale", {1, 4}, 1, true),
      lrn("odd window", 3, 0.5F),
      lrn("even window", 4, 0.3F),
  };
}

}  // namespace limbeck::test
