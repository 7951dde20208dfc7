// Gradients of elementwise functions of one input. Internal to lib/ops.
#pragma once

#include "lib/ops/common.h"
#include "lib/ops/gradient.h"

namespace limbeck {

/// dx[i] = derivative(known[i]) * dy[i].
template <typename F>
void scale_gradient(GradientContext& context, const Tensor& known, const std::string& place,
                    F derivative) {
  if (!context.wants(0)) return;
  const Tensor& dy = context.dy();
  dispatch<float, double>(dy.type(), place, [&]<typename T>() {
    const auto at_point = typed<T>(known, place);
    const auto from = dy.as<T>();
    auto dx = context.allocate(0).mutable_as<T>();
    for (size_t i = 0; i < dx.size(); ++i) dx[i] = derivative(at_point[i]) * from[i];
  });
}

/// `derivative` is a function of x.
template <typename F>
std::unique_ptr<Gradient> gradient_of_input(const Node& node, F derivative) {
  check_arity(node, 1);
  return make_gradient({.inputs = GradientReads::slot(0)},
                       [derivative, place = node.place()](GradientContext& context) {
                         scale_gradient(context, context.input(0), place, derivative);
                       });
}

/// `derivative` is a function of y.
template <typename F>
std::unique_ptr<Gradient> gradient_of_output(const Node& node, F derivative) {
  check_arity(node, 1);
  return make_gradient({.outputs = GradientReads::slot(0)},
                       [derivative, place = node.place()](GradientContext& context) {
                         scale_gradient(context, context.output(0), place, derivative);
                       });
}

}  // namespace limbeck
