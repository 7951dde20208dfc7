// Gradients of Add, Sub, Mul, Div, Pow, PRelu.
#include <cmath>

#include "lib/ops/broadcast_gradient.h"
#include "lib/ops/gradient_rows.h"

namespace limbeck {
namespace {

constexpr uint64_t kBoth = GradientReads::slot(0) | GradientReads::slot(1);

/// da = factor_a(a, b) * dy and db = factor_b(a, b) * dy, each summed over its repeated axes.
template <typename A, typename B>
void run_binary(GradientContext& context, const std::string& place, A factor_a, B factor_b) {
  const Tensor& dy = context.dy();
  const Tensor a = spread_to(context.input(0), dy.dims(), place);
  const Tensor b = spread_to(context.input(1), dy.dims(), place);
  dispatch<float, double>(dy.type(), place, [&]<typename T>() {
    const auto from = dy.as<T>();
    const auto x = typed<T>(a, place);
    const auto z = typed<T>(b, place);
    if (context.wants(0)) {
      context.set_gradient(0, sum_broadcast<T>(context.dims(0), dy.dims(), [&](size_t i) {
                             return factor_a(x[i], z[i]) * from[i];
                           }));
    }
    if (context.wants(1)) {
      context.set_gradient(1, sum_broadcast<T>(context.dims(1), dy.dims(), [&](size_t i) {
                             return factor_b(x[i], z[i]) * from[i];
                           }));
    }
  });
}

template <typename A, typename B>
std::unique_ptr<Gradient> binary_gradient(const Node& node, A factor_a, B factor_b) {
  check_arity(node, 2);
  return make_gradient({.inputs = kBoth},
                       [factor_a, factor_b, place = node.place()](GradientContext& context) {
                         run_binary(context, place, factor_a, factor_b);
                       });
}

/// The exponent has its own type; as double it has all its values.
Tensor as_type(const Tensor& tensor, DataType type) {
  if (tensor.type() == type) return tensor;
  const std::vector<float> values = tensor.to_float();
  if (type == DataType::kFloat) return Tensor::from<float>(tensor.dims(), values);
  return Tensor::from<double>(tensor.dims(), {values.begin(), values.end()});
}

template <typename T>
T base_factor(T base, T exponent) {
  return exponent == T{0} ? T{0} : exponent * std::pow(base, exponent - T{1});
}

/// x^e * log(x); 0 at x = 0, where the limit is 0 for e > 0.
template <typename T>
T exponent_factor(T base, T exponent) {
  return base == T{0} ? T{0} : std::pow(base, exponent) * std::log(base);
}

void run_pow(GradientContext& context, const std::string& place) {
  const Tensor& dy = context.dy();
  const Tensor a = spread_to(context.input(0), dy.dims(), place);
  const Tensor b = spread_to(as_type(context.input(1), dy.type()), dy.dims(), place);
  dispatch<float, double>(dy.type(), place, [&]<typename T>() {
    const auto from = dy.as<T>();
    const auto x = typed<T>(a, place);
    const auto e = typed<T>(b, place);
    if (context.wants(0)) {
      context.set_gradient(0, sum_broadcast<T>(context.dims(0), dy.dims(), [&](size_t i) {
                             return base_factor(x[i], e[i]) * from[i];
                           }));
    }
    if (context.wants(1)) {
      context.set_gradient(1, sum_broadcast<T>(context.dims(1), dy.dims(), [&](size_t i) {
                             return exponent_factor(x[i], e[i]) * from[i];
                           }));
    }
  });
}

/// Add and Sub: `sign` is that of the second operand.
std::unique_ptr<Gradient> sum_gradient_of_two(const Node& node, double sign) {
  check_arity(node, 2);
  return make_gradient({}, [sign, place = node.place()](GradientContext& context) {
    const Tensor& dy = context.dy();
    if (context.wants(0)) context.set_gradient(0, reduce_to(dy, context.dims(0), place));
    if (!context.wants(1)) return;
    if (sign > 0) return context.set_gradient(1, reduce_to(dy, context.dims(1), place));
    dispatch<float, double>(dy.type(), place, [&]<typename T>() {
      const auto from = dy.as<T>();
      context.set_gradient(
          1, sum_broadcast<T>(context.dims(1), dy.dims(), [&](size_t i) { return -from[i]; }));
    });
  });
}

}  // namespace

std::unique_ptr<Gradient> add_gradient(const Node& node, int64_t) {
  return sum_gradient_of_two(node, 1);
}

std::unique_ptr<Gradient> sub_gradient(const Node& node, int64_t) {
  return sum_gradient_of_two(node, -1);
}

std::unique_ptr<Gradient> mul_gradient(const Node& node, int64_t) {
  return binary_gradient(
      node, [](auto, auto b) { return b; }, [](auto a, auto) { return a; });
}

std::unique_ptr<Gradient> div_gradient(const Node& node, int64_t) {
  return binary_gradient(
      node, []<typename T>(T, T b) { return T{1} / b; },
      []<typename T>(T a, T b) { return -a / (b * b); });
}

std::unique_ptr<Gradient> prelu_gradient(const Node& node, int64_t) {
  return binary_gradient(
      node, []<typename T>(T x, T slope) { return x < T{0} ? slope : T{1}; },
      []<typename T>(T x, T) { return x < T{0} ? x : T{0}; });
}

std::unique_ptr<Gradient> pow_gradient(const Node& node, int64_t) {
  check_arity(node, 2);
  return make_gradient({.inputs = kBoth}, [place = node.place()](GradientContext& context) {
    run_pow(context, place);
  });
}

}  // namespace limbeck
