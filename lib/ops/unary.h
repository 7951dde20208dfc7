// Kernels of elementwise functions of one input. Internal to lib/ops.
#pragma once

#include "lib/ops/common.h"

namespace limbeck {

/// y[i] = function(x[i]) for inputs whose element type is one of Ts.
template <typename... Ts, typename F>
std::unique_ptr<Kernel> unary_kernel(const Node& node, F function) {
  check_arity(node, 1);
  return make_kernel([function, place = node.place()](KernelContext& context) {
    const Tensor& x = context.input(0);
    dispatch<Ts...>(x.type(), place, [&]<typename T>() {
      const auto source = x.as<T>();
      auto target = context.allocate(0, x.type(), x.dims()).template mutable_as<T>();
      for (size_t i = 0; i < source.size(); ++i) target[i] = function(source[i]);
    });
  });
}

/// The same for floating point.
template <typename F>
std::unique_ptr<Kernel> real_kernel(const Node& node, F function) {
  return unary_kernel<float, double>(node, function);
}

}  // namespace limbeck
