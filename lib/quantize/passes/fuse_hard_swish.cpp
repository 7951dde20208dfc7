#include <cmath>

#include "lib/ops/op.h"
#include "lib/quantize/passes/passes.h"
#include "lib/quantize/passes/rewrite.h"

namespace limbeck {
namespace {

/// Exporters write one sixth with seven digits.
bool is_close(float value, float wanted) {
  return std::abs(value - wanted) <= 1e-6F * std::abs(wanted);
}

size_t rank_of(const Value* value) { return value->shape ? value->shape->size() : 0; }

/// The other operand when `value` is op(operand, constant) with a scalar close to `wanted`; either
/// order when commutative.
Value* operand_beside(const Value* value, std::string_view op, float wanted, bool commutative) {
  if (value == nullptr || !is_op(value->producer(), op)) return nullptr;
  const Node& node = *value->producer();
  for (size_t data = 0; data < (commutative ? 2U : 1U); ++data) {
    Value* operand = node.input(data);
    if (operand == nullptr) continue;
    const auto constant = scalar_constant(node.input(1 - data), rank_of(operand));
    if (constant && is_close(*constant, wanted)) return operand;
  }
  return nullptr;
}

Value* sixfold_of(const Value* value) {
  Value* operand = operand_beside(value, "Div", 6.0F, false);
  return operand != nullptr ? operand : operand_beside(value, "Mul", 1.0F / 6.0F, true);
}

/// x when `value` is Clip(x + 3, 0, 6).
Value* shifted_clip_of(const Value* value, int64_t opset) {
  if (value == nullptr || !is_op(value->producer(), "Clip")) return nullptr;
  const auto bounds = clip_bounds(*value->producer(), opset);
  if (!bounds || bounds->low != 0.0F || bounds->high != 6.0F) return nullptr;
  return operand_beside(value->producer()->input(0), "Add", 3.0F, true);
}

/// x when `value` is HardSigmoid(x) with slope 1/6 and offset 1/2, in one node or written out.
Value* gate_of(const Value* value, int64_t opset) {
  if (value == nullptr) return nullptr;
  if (is_op(value->producer(), "HardSigmoid")) {
    const Node& node = *value->producer();
    const bool fits = is_close(node.float_attribute("alpha", 0.2F), 1.0F / 6.0F) &&
                      is_close(node.float_attribute("beta", 0.5F), 0.5F);
    return fits ? node.input(0) : nullptr;
  }
  const Value* clip = sixfold_of(value);
  return clip == nullptr ? nullptr : shifted_clip_of(clip, opset);
}

/// x when `value` is x * other(x), where other is recognised by `match`.
template <typename Match>
Value* product_of(const Value* value, const Match& match) {
  if (value == nullptr || !is_op(value->producer(), "Mul")) return nullptr;
  const Node& mul = *value->producer();
  for (size_t data = 0; data < 2; ++data) {
    if (mul.input(data) != nullptr && match(mul.input(1 - data)) == mul.input(data))
      return mul.input(data);
  }
  return nullptr;
}

Value* hard_swish_input(const Value* value, int64_t opset) {
  Value* x = product_of(value, [opset](const Value* other) { return gate_of(other, opset); });
  if (x != nullptr) return x;
  const Value* product = sixfold_of(value);
  return product_of(product, [opset](const Value* other) { return shifted_clip_of(other, opset); });
}

}  // namespace

size_t fuse_hard_swish(Graph& graph, int64_t opset) {
  const OpRow* row = find_op("", "HardSwish", opset);
  if (opset < 14 || row == nullptr || row->kernel == nullptr) return 0;
  size_t rewrites = 0;
  for (Node* node : snapshot(graph)) {
    if (!is_op(node, "Mul") && !is_op(node, "Div")) continue;
    Value* output = node->output(0);
    if (output == nullptr || output->captured_by_subgraph()) continue;
    Value* x = hard_swish_input(output, opset);
    if (x == nullptr) continue;
    Node* fused = graph.add_node("HardSwish", "", node->name(), {x}, {output->name()}, node);
    take_over(graph, output, fused->output(0));
    ++rewrites;
  }
  return rewrites;
}

}  // namespace limbeck
