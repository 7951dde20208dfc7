// Circular and hyperbolic functions and their inverses.
#include <cmath>

#include "lib/ops/rows.h"
#include "lib/ops/unary.h"

namespace limbeck {

std::unique_ptr<Kernel> sin_kernel(const Node& node, int64_t) {
  return real_kernel(node, [](auto x) { return std::sin(x); });
}

std::unique_ptr<Kernel> cos_kernel(const Node& node, int64_t) {
  return real_kernel(node, [](auto x) { return std::cos(x); });
}

std::unique_ptr<Kernel> tan_kernel(const Node& node, int64_t) {
  return real_kernel(node, [](auto x) { return std::tan(x); });
}

std::unique_ptr<Kernel> asin_kernel(const Node& node, int64_t) {
  return real_kernel(node, [](auto x) { return std::asin(x); });
}

std::unique_ptr<Kernel> acos_kernel(const Node& node, int64_t) {
  return real_kernel(node, [](auto x) { return std::acos(x); });
}

std::unique_ptr<Kernel> atan_kernel(const Node& node, int64_t) {
  return real_kernel(node, [](auto x) { return std::atan(x); });
}

std::unique_ptr<Kernel> sinh_kernel(const Node& node, int64_t) {
  return real_kernel(node, [](auto x) { return std::sinh(x); });
}

std::unique_ptr<Kernel> cosh_kernel(const Node& node, int64_t) {
  return real_kernel(node, [](auto x) { return std::cosh(x); });
}

std::unique_ptr<Kernel> asinh_kernel(const Node& node, int64_t) {
  return real_kernel(node, [](auto x) { return std::asinh(x); });
}

std::unique_ptr<Kernel> acosh_kernel(const Node& node, int64_t) {
  return real_kernel(node, [](auto x) { return std::acosh(x); });
}

std::unique_ptr<Kernel> atanh_kernel(const Node& node, int64_t) {
  return real_kernel(node, [](auto x) { return std::atanh(x); });
}

}  // namespace limbeck
