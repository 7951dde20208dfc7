// Activations beyond those of unary.cpp: Celu, Gelu, Mish, Shrink, ThresholdedRelu.
#include <cmath>

#include "lib/ops/rows.h"
#include "lib/ops/unary.h"

namespace limbeck {
namespace {

template <typename T>
T softplus(T x) {
  return std::fmax(x, T{0}) + std::log1p(std::exp(-std::fabs(x)));
}

/// x * P(X <= x) for a standard normal X (Hendrycks and Gimpel 2016).
template <typename T>
T gelu(T x) {
  return x * T{0.5} * (T{1} + std::erf(x * static_cast<T>(0.70710678118654752440)));
}

/// The approximation of the same paper: 0.79788... is sqrt(2 / pi).
template <typename T>
T gelu_tanh(T x) {
  const T inner =
      static_cast<T>(0.79788456080286535588) * (x + static_cast<T>(0.044715) * x * x * x);
  return T{0.5} * x * (T{1} + std::tanh(inner));
}

}  // namespace

std::unique_ptr<Kernel> celu_kernel(const Node& node, int64_t) {
  return real_kernel(node, [alpha = node.float_attribute("alpha", 1)]<typename T>(T x) {
    return x < 0 ? static_cast<T>(alpha) * std::expm1(x / static_cast<T>(alpha)) : x;
  });
}

std::unique_ptr<Kernel> gelu_kernel(const Node& node, int64_t) {
  const std::string approximate = node.string_attribute("approximate", "none");
  if (approximate == "tanh") return real_kernel(node, [](auto x) { return gelu_tanh(x); });
  if (approximate == "none") return real_kernel(node, [](auto x) { return gelu(x); });
  fail_unsupported(node.place(), "approximate must be none or tanh", approximate);
}

std::unique_ptr<Kernel> mish_kernel(const Node& node, int64_t) {
  return real_kernel(node, [](auto x) { return x * std::tanh(softplus(x)); });
}

std::unique_ptr<Kernel> shrink_kernel(const Node& node, int64_t) {
  return real_kernel(node, [bias = node.float_attribute("bias", 0),
                            limit = node.float_attribute("lambd", 0.5F)]<typename T>(T x) {
    if (x < -static_cast<T>(limit)) return x + static_cast<T>(bias);
    return x > static_cast<T>(limit) ? x - static_cast<T>(bias) : T{0};
  });
}

std::unique_ptr<Kernel> thresholded_relu_kernel(const Node& node, int64_t) {
  return real_kernel(node, [alpha = node.float_attribute("alpha", 1)]<typename T>(T x) {
    return x > static_cast<T>(alpha) ? x : T{0};
  });
}

}  // namespace limbeck
