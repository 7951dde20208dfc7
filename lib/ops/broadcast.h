// Multidirectional broadcasting (ONNX "Broadcasting in ONNX"). Internal to lib/ops.
#pragma once

#include "lib/ops/common.h"

namespace limbeck {

/// Dimensions of the result. Raises kInvalidModel when they do not fit.
Dims broadcast_dims(const Dims& a, const Dims& b, const std::string& place);
Shape broadcast_shapes(const Shape& a, const Shape& b, const std::string& place);
/// Strides with which a tensor of `dims` is read under `target`: 0 along repeated axes.
Dims broadcast_strides(const Dims& dims, const Dims& target);

/// Loop nest over a broadcast of two tensors with adjacent axes merged. Never empty.
struct BroadcastPlan {
  Dims dims;
  Dims a_strides;
  Dims b_strides;
};
BroadcastPlan plan_broadcast(const Dims& a, const Dims& b, const Dims& target);

/// Steps a row-major odometer over dims[0, axes); false after the last position.
bool next_position(Dims& position, const Dims& dims, size_t axes);

/// result[i] = f(a[i], b[i]) over the broadcast of a and b.
template <typename A, typename B, typename R, typename F>
void apply_broadcast(const Tensor& a, const Tensor& b, Tensor& result, R* out, F f) {
  if (result.count() == 0) return;
  const BroadcastPlan plan = plan_broadcast(a.dims(), b.dims(), result.dims());
  const A* a_data = reinterpret_cast<const A*>(a.raw());
  const B* b_data = reinterpret_cast<const B*>(b.raw());
  const size_t outer = plan.dims.size() - 1;
  const int64_t n = plan.dims[outer];
  const bool a_moves = plan.a_strides[outer] != 0;
  const bool b_moves = plan.b_strides[outer] != 0;
  Dims position(outer, 0);
  do {
    const A* x = a_data;
    const B* y = b_data;
    for (size_t i = 0; i < outer; ++i) {
      x += position[i] * plan.a_strides[i];
      y += position[i] * plan.b_strides[i];
    }
    if (a_moves && b_moves) {
      for (int64_t i = 0; i < n; ++i) out[i] = f(x[i], y[i]);
    } else if (a_moves) {
      for (int64_t i = 0; i < n; ++i) out[i] = f(x[i], *y);
    } else {
      for (int64_t i = 0; i < n; ++i) out[i] = f(*x, b_moves ? y[i] : *y);
    }
    out += n;
  } while (next_position(position, plan.dims, outer));
}

}  // namespace limbeck
