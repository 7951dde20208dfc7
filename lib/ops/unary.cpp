// Elementwise functions of one input.
#include "lib/ops/unary.h"

#include <cmath>

#include "lib/ops/rows.h"

namespace limbeck {
namespace {

/// -x, wrapping for the smallest integer.
template <typename T>
T negated(T x) {
  if constexpr (std::is_integral_v<T>)
    return static_cast<T>(uint64_t{0} - static_cast<uint64_t>(x));
  return -x;
}

}  // namespace

std::unique_ptr<Kernel> relu_kernel(const Node& node, int64_t) {
  return unary_kernel<float, double, int8_t, int16_t, int32_t, int64_t>(
      node, []<typename T>(T x) { return x < T{0} ? T{0} : x; });
}

std::unique_ptr<Kernel> leaky_relu_kernel(const Node& node, int64_t) {
  return real_kernel(node, [alpha = node.float_attribute("alpha", 0.01F)]<typename T>(T x) {
    return x < 0 ? static_cast<T>(alpha) * x : x;
  });
}

std::unique_ptr<Kernel> sigmoid_kernel(const Node& node, int64_t) {
  return real_kernel(node, []<typename T>(T x) { return T{1} / (T{1} + std::exp(-x)); });
}

std::unique_ptr<Kernel> hard_sigmoid_kernel(const Node& node, int64_t) {
  return real_kernel(node, [alpha = node.float_attribute("alpha", 0.2F),
                            beta = node.float_attribute("beta", 0.5F)]<typename T>(T x) {
    return std::fmin(std::fmax(static_cast<T>(alpha) * x + static_cast<T>(beta), T{0}), T{1});
  });
}

std::unique_ptr<Kernel> hard_swish_kernel(const Node& node, int64_t) {
  return real_kernel(node, []<typename T>(T x) {
    return x * std::fmin(std::fmax(x / T{6} + T{0.5}, T{0}), T{1});
  });
}

std::unique_ptr<Kernel> elu_kernel(const Node& node, int64_t) {
  return real_kernel(node, [alpha = node.float_attribute("alpha", 1)]<typename T>(T x) {
    return x < 0 ? static_cast<T>(alpha) * std::expm1(x) : x;
  });
}

std::unique_ptr<Kernel> selu_kernel(const Node& node, int64_t) {
  return real_kernel(
      node, [alpha = node.float_attribute("alpha", 1.67326319217681884765625F),
             gamma = node.float_attribute("gamma", 1.05070102214813232421875F)]<typename T>(T x) {
        return static_cast<T>(gamma) * (x < 0 ? static_cast<T>(alpha) * std::expm1(x) : x);
      });
}

std::unique_ptr<Kernel> softplus_kernel(const Node& node, int64_t) {
  return real_kernel(node, []<typename T>(T x) {
    return std::fmax(x, T{0}) + std::log1p(std::exp(-std::fabs(x)));
  });
}

std::unique_ptr<Kernel> softsign_kernel(const Node& node, int64_t) {
  return real_kernel(node, []<typename T>(T x) { return x / (T{1} + std::fabs(x)); });
}

std::unique_ptr<Kernel> tanh_kernel(const Node& node, int64_t) {
  return real_kernel(node, [](auto x) { return std::tanh(x); });
}

std::unique_ptr<Kernel> erf_kernel(const Node& node, int64_t) {
  return real_kernel(node, [](auto x) { return std::erf(x); });
}

std::unique_ptr<Kernel> exp_kernel(const Node& node, int64_t) {
  return real_kernel(node, [](auto x) { return std::exp(x); });
}

std::unique_ptr<Kernel> log_kernel(const Node& node, int64_t) {
  return real_kernel(node, [](auto x) { return std::log(x); });
}

std::unique_ptr<Kernel> sqrt_kernel(const Node& node, int64_t) {
  return real_kernel(node, [](auto x) { return std::sqrt(x); });
}

std::unique_ptr<Kernel> reciprocal_kernel(const Node& node, int64_t) {
  return real_kernel(node, []<typename T>(T x) { return T{1} / x; });
}

std::unique_ptr<Kernel> floor_kernel(const Node& node, int64_t) {
  return real_kernel(node, [](auto x) { return std::floor(x); });
}

std::unique_ptr<Kernel> ceil_kernel(const Node& node, int64_t) {
  return real_kernel(node, [](auto x) { return std::ceil(x); });
}

std::unique_ptr<Kernel> round_kernel(const Node& node, int64_t) {
  return real_kernel(node,
                     [](auto x) { return std::nearbyint(x); });  // the default mode: half to even
}

std::unique_ptr<Kernel> abs_kernel(const Node& node, int64_t) {
  return unary_kernel<float, double, int8_t, int16_t, int32_t, int64_t>(node, []<typename T>(T x) {
    if constexpr (std::is_floating_point_v<T>) return std::fabs(x);
    return x < T{0} ? negated(x) : x;
  });
}

std::unique_ptr<Kernel> sign_kernel(const Node& node, int64_t) {
  return unary_kernel<float, double, int8_t, int16_t, int32_t, int64_t>(
      node, []<typename T>(T x) { return static_cast<T>((T{0} < x) - (x < T{0})); });
}

std::unique_ptr<Kernel> neg_kernel(const Node& node, int64_t) {
  return unary_kernel<float, double, int8_t, int16_t, int32_t, int64_t>(
      node, []<typename T>(T x) { return negated(x); });
}

std::unique_ptr<Kernel> not_kernel(const Node& node, int64_t) {
  return unary_kernel<bool>(node, [](bool x) { return !x; });
}

}  // namespace limbeck
