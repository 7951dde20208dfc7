// What broadcasting means for gradients. Internal to lib/ops.
#pragma once

#include "lib/ops/broadcast.h"
#include "lib/ops/gradient.h"

namespace limbeck {

/// gradient[j] = sum over the positions i of `whole` that read element j of f(i), where the operand
/// of `dims` is broadcast to `whole`. Sums in double, in row-major order.
template <typename T, typename F>
Tensor sum_broadcast(const Dims& dims, const Dims& whole, F f) {
  if (dims == whole) {
    Tensor same = Tensor::allocate(data_type_of<T>(), dims);
    auto target = same.mutable_as<T>();
    for (size_t i = 0; i < target.size(); ++i) target[i] = f(i);
    return same;
  }
  const BroadcastPlan plan = plan_broadcast(whole, dims, whole);
  const size_t outer = plan.dims.size() - 1;
  const int64_t step = plan.b_strides[outer];
  std::vector<double> sums(at(element_count(dims, "gradient")), 0.0);
  Dims position(outer, 0);
  size_t i = 0;
  const bool empty = product(whole, 0, whole.size()) == 0;
  do {
    if (empty) break;
    int64_t row = 0;
    for (size_t axis = 0; axis < outer; ++axis) row += position[axis] * plan.b_strides[axis];
    for (int64_t k = 0; k < plan.dims[outer]; ++k, ++i)
      sums[at(row + k * step)] += static_cast<double>(f(i));
  } while (next_position(position, plan.dims, outer));
  Tensor result = Tensor::allocate(data_type_of<T>(), dims);
  auto target = result.mutable_as<T>();
  for (size_t j = 0; j < target.size(); ++j) target[j] = static_cast<T>(sums[j]);
  return result;
}

/// The sum of `gradient` over the axes along which an operand of `dims` was repeated.
Tensor reduce_to(const Tensor& gradient, const Dims& dims, const std::string& place);

/// The operand repeated to `whole`: shares the bytes where nothing repeats.
Tensor spread_to(const Tensor& operand, const Dims& whole, const std::string& place);

}  // namespace limbeck
