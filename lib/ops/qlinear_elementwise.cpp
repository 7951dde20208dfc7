// com.microsoft QLinearAdd, QLinearMul, QLinearSigmoid, QLinearLeakyRelu (version 1).
#include "lib/ops/broadcast.h"
#include "lib/ops/qlinear_common.h"
#include "lib/ops/rows.h"

namespace limbeck {

/// A, its scale and zero point, B, its scale and zero point, scale and zero point of the result.
void qlinear_binary_shape(const ShapeContext& context) {
  same_type_only(context);
  const Shape* a = context.shape(0);
  const Shape* b = context.shape(3);
  if (a == nullptr || b == nullptr) return;
  context.set(0, DataType::kUndefined, broadcast_shapes(*a, *b, context.node.place()));
}

std::unique_ptr<Kernel> qlinear_add_kernel(const Node& node, int64_t opset) {
  return make_qlinear_kernel(node, add_kernel(node, opset), {{0, 3}, 6});
}

std::unique_ptr<Kernel> qlinear_mul_kernel(const Node& node, int64_t opset) {
  return make_qlinear_kernel(node, mul_kernel(node, opset), {{0, 3}, 6});
}

std::unique_ptr<Kernel> qlinear_sigmoid_kernel(const Node& node, int64_t opset) {
  return make_qlinear_kernel(node, sigmoid_kernel(node, opset), {{0}, 3});
}

std::unique_ptr<Kernel> qlinear_leaky_relu_kernel(const Node& node, int64_t opset) {
  return make_qlinear_kernel(node, leaky_relu_kernel(node, opset), {{0}, 3});
}

}  // namespace limbeck
