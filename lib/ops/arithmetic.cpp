// Elementwise functions of two inputs with broadcasting: Add, Sub, Mul, Div, Pow, PRelu.
#include <cmath>
#include <limits>

#include "lib/ops/broadcast.h"
#include "lib/ops/numbers.h"
#include "lib/ops/rows.h"

namespace limbeck {
namespace {

template <typename F>
void run_binary(KernelContext& context, const std::string& place, F function) {
  const Tensor& a = context.input(0);
  const Tensor& b = context.input(1);
  const Dims dims = broadcast_dims(a.dims(), b.dims(), place);
  dispatch_numeric(a.type(), place, [&]<typename T>() {
    typed<T>(b, place);
    Tensor& y = context.allocate(0, a.type(), dims);
    apply_broadcast<T, T>(a, b, y, y.mutable_as<T>().data(),
                          [&](T x, T z) { return function(x, z); });
  });
}

template <typename F>
std::unique_ptr<Kernel> binary(const Node& node, F function) {
  check_arity(node, 2);
  return make_kernel([function, place = node.place()](KernelContext& context) {
    run_binary(context, place, function);
  });
}

template <typename A, typename B>
A power(A base, B exponent) {
  if constexpr (std::is_same_v<A, float> && std::is_same_v<B, float>) {
    return exponent == 2.0F ? base * base : std::pow(base, exponent);
  } else {
    return saturating_cast<A>(std::pow(static_cast<double>(base), static_cast<double>(exponent)));
  }
}

void run_pow(KernelContext& context, const std::string& place) {
  const Tensor& a = context.input(0);
  const Tensor& b = context.input(1);
  const Dims dims = broadcast_dims(a.dims(), b.dims(), place);
  dispatch<float, double, int32_t, int64_t>(a.type(), place, [&]<typename A>() {
    dispatch_numeric(b.type(), place, [&]<typename B>() {
      Tensor& y = context.allocate(0, a.type(), dims);
      apply_broadcast<A, B>(a, b, y, y.mutable_as<A>().data(), power<A, B>);
    });
  });
}

}  // namespace

std::unique_ptr<Kernel> add_kernel(const Node& node, int64_t) {
  return binary(node, []<typename T>(T x, T y) { return wrapping_add(x, y); });
}

std::unique_ptr<Kernel> sub_kernel(const Node& node, int64_t) {
  return binary(node, []<typename T>(T x, T y) {
    if constexpr (std::is_floating_point_v<T>)
      return x - y;
    else
      return static_cast<T>(static_cast<uint64_t>(x) - static_cast<uint64_t>(y));
  });
}

std::unique_ptr<Kernel> mul_kernel(const Node& node, int64_t) {
  return binary(node, []<typename T>(T x, T y) { return wrapping_multiply(x, y); });
}

std::unique_ptr<Kernel> div_kernel(const Node& node, int64_t) {
  return binary(node, [place = node.place()]<typename T>(T x, T y) -> T {
    if constexpr (std::is_floating_point_v<T>) return x / y;
    if (y == T{0}) fail_model(place, "an integer must not be divided by zero", "0");
    if constexpr (std::is_signed_v<T> && std::is_integral_v<T>) {
      if (y == T{-1}) return static_cast<T>(uint64_t{0} - static_cast<uint64_t>(x));
    }
    return static_cast<T>(x / y);
  });
}

std::unique_ptr<Kernel> prelu_kernel(const Node& node, int64_t) {
  return binary(
      node, []<typename T>(T x, T slope) { return x < T{0} ? wrapping_multiply(x, slope) : x; });
}

std::unique_ptr<Kernel> pow_kernel(const Node& node, int64_t) {
  check_arity(node, 2);
  return make_kernel([place = node.place()](KernelContext& context) { run_pow(context, place); });
}

}  // namespace limbeck
