// Gradients of the elementwise functions in unary.cpp. At a kink the derivative is the one of the
// branch that the kernel takes.
#include "lib/ops/unary_gradient.h"

#include <cmath>

#include "lib/ops/gradient_rows.h"

namespace limbeck {

std::unique_ptr<Gradient> relu_gradient(const Node& node, int64_t) {
  return gradient_of_output(node, []<typename T>(T y) { return y > T{0} ? T{1} : T{0}; });
}

std::unique_ptr<Gradient> leaky_relu_gradient(const Node& node, int64_t) {
  return gradient_of_input(node, [alpha = node.float_attribute("alpha", 0.01F)]<typename T>(T x) {
    return x < 0 ? static_cast<T>(alpha) : T{1};
  });
}

std::unique_ptr<Gradient> sigmoid_gradient(const Node& node, int64_t) {
  return gradient_of_output(node, []<typename T>(T y) { return y * (T{1} - y); });
}

std::unique_ptr<Gradient> hard_sigmoid_gradient(const Node& node, int64_t) {
  return gradient_of_output(node, [alpha = node.float_attribute("alpha", 0.2F)]<typename T>(T y) {
    return y > T{0} && y < T{1} ? static_cast<T>(alpha) : T{0};
  });
}

std::unique_ptr<Gradient> hard_swish_gradient(const Node& node, int64_t) {
  return gradient_of_input(node, []<typename T>(T x) {
    if (x <= T{-3}) return T{0};
    return x >= T{3} ? T{1} : x / T{3} + T{0.5};
  });
}

std::unique_ptr<Gradient> elu_gradient(const Node& node, int64_t) {
  return gradient_of_input(node, [alpha = node.float_attribute("alpha", 1)]<typename T>(T x) {
    return x < 0 ? static_cast<T>(alpha) * std::exp(x) : T{1};
  });
}

std::unique_ptr<Gradient> selu_gradient(const Node& node, int64_t) {
  return gradient_of_input(
      node, [alpha = node.float_attribute("alpha", 1.67326319217681884765625F),
             gamma = node.float_attribute("gamma", 1.05070102214813232421875F)]<typename T>(T x) {
        return static_cast<T>(gamma) * (x < 0 ? static_cast<T>(alpha) * std::exp(x) : T{1});
      });
}

std::unique_ptr<Gradient> softplus_gradient(const Node& node, int64_t) {
  return gradient_of_input(node, []<typename T>(T x) { return T{1} / (T{1} + std::exp(-x)); });
}

std::unique_ptr<Gradient> softsign_gradient(const Node& node, int64_t) {
  return gradient_of_input(node, []<typename T>(T x) {
    const T below = T{1} + std::fabs(x);
    return T{1} / (below * below);
  });
}

std::unique_ptr<Gradient> tanh_gradient(const Node& node, int64_t) {
  return gradient_of_output(node, []<typename T>(T y) { return T{1} - y * y; });
}

std::unique_ptr<Gradient> erf_gradient(const Node& node, int64_t) {
  return gradient_of_input(node, []<typename T>(T x) {
    return static_cast<T>(1.12837916709551257390) * std::exp(-x * x);  // 2 / sqrt(pi)
  });
}

std::unique_ptr<Gradient> exp_gradient(const Node& node, int64_t) {
  return gradient_of_output(node, [](auto y) { return y; });
}

std::unique_ptr<Gradient> log_gradient(const Node& node, int64_t) {
  return gradient_of_input(node, []<typename T>(T x) { return T{1} / x; });
}

std::unique_ptr<Gradient> sqrt_gradient(const Node& node, int64_t) {
  return gradient_of_output(node, []<typename T>(T y) { return T{0.5} / y; });
}

std::unique_ptr<Gradient> reciprocal_gradient(const Node& node, int64_t) {
  return gradient_of_output(node, []<typename T>(T y) { return -y * y; });
}

std::unique_ptr<Gradient> abs_gradient(const Node& node, int64_t) {
  return gradient_of_input(node,
                           []<typename T>(T x) { return static_cast<T>((T{0} < x) - (x < T{0})); });
}

std::unique_ptr<Gradient> neg_gradient(const Node& node, int64_t) {
  check_arity(node, 1);
  return make_gradient({}, [place = node.place()](GradientContext& context) {
    if (!context.wants(0)) return;
    dispatch<float, double>(context.dy().type(), place, [&]<typename T>() {
      const auto from = context.dy().as<T>();
      auto dx = context.allocate(0).mutable_as<T>();
      for (size_t i = 0; i < dx.size(); ++i) dx[i] = -from[i];
    });
  });
}

}  // namespace limbeck
