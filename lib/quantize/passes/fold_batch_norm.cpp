#include <cmath>
#include <optional>

#include "lib/quantize/passes/channel_affine.h"
#include "lib/quantize/passes/passes.h"
#include "lib/quantize/passes/rewrite.h"

namespace limbeck {
namespace {

bool is_inference(const Node& node) {
  if (node.int_attribute("training_mode", 0) != 0 || node.int_attribute("spatial", 1) == 0)
    return false;
  for (size_t i = 1; i < node.outputs().size(); ++i) {
    if (node.output(i) != nullptr) return false;
  }
  return true;
}

std::optional<ChannelAffine> affine_of(const Node& node, int64_t channels) {
  const Tensor* parts[4];
  for (size_t i = 0; i < 4; ++i) {
    parts[i] = float_constant(node, i + 1);
    if (parts[i] == nullptr || parts[i]->count() != channels) return std::nullopt;
  }
  const double epsilon = node.float_attribute("epsilon", 1e-5F);
  ChannelAffine affine;
  for (size_t c = 0; c < static_cast<size_t>(channels); ++c) {
    const double variance = parts[3]->as<float>()[c] + epsilon;
    const double scale = parts[0]->as<float>()[c] / std::sqrt(variance);
    if (!std::isfinite(scale)) return std::nullopt;
    affine.scale.push_back(scale);
    affine.shift.push_back(parts[1]->as<float>()[c] - parts[2]->as<float>()[c] * scale);
  }
  return affine;
}

bool fold_one(Graph& graph, Node* node) {
  if (!is_inference(*node)) return false;
  const auto target = fold_target(node->input(0));
  if (!target || !can_take_over(node->output(0), node->input(0))) return false;
  const auto affine = affine_of(*node, target->channels);
  if (!affine) return false;
  fold_into(graph, *target, *affine);
  take_over(graph, node->output(0), node->input(0));
  return true;
}

}  // namespace

size_t fold_batch_norm(Graph& graph, int64_t /*opset*/) {
  size_t rewrites = 0;
  for (Node* node : snapshot(graph)) {
    if (is_op(node, "BatchNormalization") && fold_one(graph, node)) ++rewrites;
  }
  return rewrites;
}

}  // namespace limbeck
