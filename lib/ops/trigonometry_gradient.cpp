// Gradients of circular and hyperbolic functions and their inverses.
#include <cmath>

#include "lib/ops/gradient_rows.h"
#include "lib/ops/unary_gradient.h"

namespace limbeck {

std::unique_ptr<Gradient> sin_gradient(const Node& node, int64_t) {
  return gradient_of_input(node, [](auto x) { return std::cos(x); });
}

std::unique_ptr<Gradient> cos_gradient(const Node& node, int64_t) {
  return gradient_of_input(node, [](auto x) { return -std::sin(x); });
}

std::unique_ptr<Gradient> tan_gradient(const Node& node, int64_t) {
  return gradient_of_output(node, []<typename T>(T y) { return T{1} + y * y; });
}

std::unique_ptr<Gradient> asin_gradient(const Node& node, int64_t) {
  return gradient_of_input(node, []<typename T>(T x) { return T{1} / std::sqrt(T{1} - x * x); });
}

std::unique_ptr<Gradient> acos_gradient(const Node& node, int64_t) {
  return gradient_of_input(node, []<typename T>(T x) { return T{-1} / std::sqrt(T{1} - x * x); });
}

std::unique_ptr<Gradient> atan_gradient(const Node& node, int64_t) {
  return gradient_of_input(node, []<typename T>(T x) { return T{1} / (T{1} + x * x); });
}

std::unique_ptr<Gradient> sinh_gradient(const Node& node, int64_t) {
  return gradient_of_input(node, [](auto x) { return std::cosh(x); });
}

std::unique_ptr<Gradient> cosh_gradient(const Node& node, int64_t) {
  return gradient_of_input(node, [](auto x) { return std::sinh(x); });
}

std::unique_ptr<Gradient> asinh_gradient(const Node& node, int64_t) {
  return gradient_of_input(node, []<typename T>(T x) { return T{1} / std::sqrt(x * x + T{1}); });
}

std::unique_ptr<Gradient> acosh_gradient(const Node& node, int64_t) {
  return gradient_of_input(node, []<typename T>(T x) { return T{1} / std::sqrt(x * x - T{1}); });
}

std::unique_ptr<Gradient> atanh_gradient(const Node& node, int64_t) {
  return gradient_of_input(node, []<typename T>(T x) { return T{1} / (T{1} - x * x); });
}

}  // namespace limbeck
