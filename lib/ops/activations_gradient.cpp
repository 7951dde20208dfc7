// Gradients of Celu, Gelu, Mish, Shrink, ThresholdedRelu.
#include <cmath>

#include "lib/ops/gradient_rows.h"
#include "lib/ops/unary_gradient.h"

namespace limbeck {
namespace {

/// P(X <= x) + x * density(x) for a standard normal X.
template <typename T>
T gelu_slope(T x) {
  const T below = T{0.5} * (T{1} + std::erf(x * static_cast<T>(0.70710678118654752440)));
  const T density = static_cast<T>(0.39894228040143267794) * std::exp(T{-0.5} * x * x);
  return below + x * density;
}

template <typename T>
T gelu_tanh_slope(T x) {
  const auto root = static_cast<T>(0.79788456080286535588);
  const auto cubic = static_cast<T>(0.044715);
  const T bend = std::tanh(root * (x + cubic * x * x * x));
  const T inner_slope = root * (T{1} + T{3} * cubic * x * x);
  return T{0.5} * (T{1} + bend) + T{0.5} * x * (T{1} - bend * bend) * inner_slope;
}

template <typename T>
T mish_slope(T x) {
  const T soft = std::fmax(x, T{0}) + std::log1p(std::exp(-std::fabs(x)));
  const T bend = std::tanh(soft);
  return bend + x * (T{1} - bend * bend) / (T{1} + std::exp(-x));
}

}  // namespace

std::unique_ptr<Gradient> celu_gradient(const Node& node, int64_t) {
  return gradient_of_input(node, [alpha = node.float_attribute("alpha", 1)]<typename T>(T x) {
    return x < 0 ? std::exp(x / static_cast<T>(alpha)) : T{1};
  });
}

std::unique_ptr<Gradient> gelu_gradient(const Node& node, int64_t) {
  const std::string approximate = node.string_attribute("approximate", "none");
  if (approximate == "tanh")
    return gradient_of_input(node, [](auto x) { return gelu_tanh_slope(x); });
  return gradient_of_input(node, [](auto x) { return gelu_slope(x); });
}

std::unique_ptr<Gradient> mish_gradient(const Node& node, int64_t) {
  return gradient_of_input(node, [](auto x) { return mish_slope(x); });
}

std::unique_ptr<Gradient> shrink_gradient(const Node& node, int64_t) {
  return gradient_of_input(node, [limit = node.float_attribute("lambd", 0.5F)]<typename T>(T x) {
    const auto bound = static_cast<T>(limit);
    return x < -bound || x > bound ? T{1} : T{0};
  });
}

std::unique_ptr<Gradient> thresholded_relu_gradient(const Node& node, int64_t) {
  return gradient_of_input(node, [alpha = node.float_attribute("alpha", 1)]<typename T>(T x) {
    return x > static_cast<T>(alpha) ? T{1} : T{0};
  });
}

}  // namespace limbeck
