#include "lib/ops/broadcast_gradient.h"

#include "lib/ops/copy.h"

namespace limbeck {

Tensor reduce_to(const Tensor& gradient, const Dims& dims, const std::string& place) {
  if (gradient.dims() == dims) return gradient;
  Tensor result;
  dispatch<float, double>(gradient.type(), place, [&]<typename T>() {
    const auto from = gradient.as<T>();
    result = sum_broadcast<T>(dims, gradient.dims(), [&](size_t i) { return from[i]; });
  });
  return result;
}

Tensor spread_to(const Tensor& operand, const Dims& whole, const std::string& place) {
  if (operand.dims() == whole) return operand;
  Tensor result = Tensor::allocate(operand.type(), whole);
  strided_copy(operand, broadcast_strides(operand.dims(), whole), result, place);
  return result;
}

}  // namespace limbeck
