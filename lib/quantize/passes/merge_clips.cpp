#include <algorithm>
#include <cmath>
#include <limits>

#include "lib/quantize/passes/passes.h"
#include "lib/quantize/passes/rewrite.h"

namespace limbeck {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// A Relu or a Clip with constant bounds, as an interval.
std::optional<ClipBounds> interval_of(const Node* node, int64_t opset) {
  if (is_op(node, "Relu")) return ClipBounds{0.0F, kInfinity};
  if (is_op(node, "Clip")) return clip_bounds(*node, opset);
  return std::nullopt;
}

/// What is known about a value from the operator that makes it.
ClipBounds range_of(const Value* value, int64_t opset) {
  const Node* node = value->producer();
  if (const auto interval = interval_of(node, opset)) return *interval;
  if (is_op(node, "Sigmoid") || is_op(node, "HardSigmoid") || is_op(node, "Softmax"))
    return {0.0F, 1.0F};
  if (is_op(node, "Abs")) return {0.0F, kInfinity};
  return {-kInfinity, kInfinity};
}

void set_bounds(Graph& graph, Node* clip, ClipBounds bounds, int64_t opset) {
  const bool has_low = std::isfinite(bounds.low);
  const bool has_high = std::isfinite(bounds.high);
  if (opset < 11) {
    clip->remove_attribute("min");
    clip->remove_attribute("max");
    if (has_low) clip->set_attribute("min", bounds.low);
    if (has_high) clip->set_attribute("max", bounds.high);
    return;
  }
  const std::string& name = clip->output(0)->name();
  if (has_low) set_constant_input(graph, clip, 1, Tensor::scalar(bounds.low), name + "_min");
  if (has_high) set_constant_input(graph, clip, 2, Tensor::scalar(bounds.high), name + "_max");
}

/// The outer node alone does the work of both: its input skips the inner one.
bool merge_with_inner(Graph& graph, Node* outer, ClipBounds bounds, int64_t opset) {
  Node* inner = outer->input(0)->producer();
  const auto inside = interval_of(inner, opset);
  if (!inside || inner->input(0) == nullptr || !is_private(inner->output(0))) return false;
  const ClipBounds merged{std::max(bounds.low, inside->low), std::min(bounds.high, inside->high)};
  // Disjoint intervals depend on the order of the two, and an empty one is no clip at all.
  if (merged.low > merged.high || inside->low > inside->high || bounds.low > bounds.high)
    return false;
  if (is_op(outer, "Relu")) {  // The inner Clip survives, under the name of the Relu.
    if (!can_take_over(outer->output(0), inner->output(0))) return false;
    set_bounds(graph, inner, merged, opset);
    take_over(graph, outer->output(0), inner->output(0));
    return true;
  }
  if (!can_bypass(inner->output(0), inner->input(0))) return false;
  set_bounds(graph, outer, merged, opset);
  bypass(graph, inner->output(0), inner->input(0));
  return true;
}

bool merge_one(Graph& graph, Node* node, int64_t opset) {
  const auto bounds = interval_of(node, opset);
  if (!bounds || node->input(0) == nullptr || node->output(0) == nullptr) return false;
  const ClipBounds range = range_of(node->input(0), opset);
  const bool redundant = range.low >= bounds->low && range.high <= bounds->high;
  if (redundant && can_bypass(node->output(0), node->input(0))) {
    bypass(graph, node->output(0), node->input(0));
    return true;
  }
  return !redundant && merge_with_inner(graph, node, *bounds, opset);
}

}  // namespace

size_t merge_clips(Graph& graph, int64_t opset) {
  size_t rewrites = 0;
  for (Node* node : snapshot(graph)) {
    if (merge_one(graph, node, opset)) ++rewrites;
  }
  return rewrites;
}

}  // namespace limbeck
