// Reductions to norms and logarithms of sums.
#include <cmath>
#include <limits>

#include "lib/ops/numbers.h"
#include "lib/ops/reduce.h"
#include "lib/ops/rows.h"

namespace limbeck {
namespace {

double add_square(double sum, double item) { return sum + item * item; }

int64_t add_square(int64_t sum, int64_t item) {
  return wrapping_add(sum, wrapping_multiply(item, item));
}

int64_t add_magnitude(int64_t sum, int64_t item) {
  return item < 0 ? static_cast<int64_t>(static_cast<uint64_t>(sum) - static_cast<uint64_t>(item))
                  : wrapping_add(sum, item);
}

/// log(exp(a) + exp(b)) without overflow.
double log_add(double a, double b) {
  const double top = larger(a, b);
  if (std::isinf(top)) return top;
  return top + std::log1p(std::exp(smaller(a, b) - top));
}

}  // namespace

std::unique_ptr<Kernel> reduce_l1_kernel(const Node& node, int64_t) {
  return reduction(node, {0, [](double sum, double item) { return sum + std::fabs(item); },
                          add_magnitude, nullptr});
}

std::unique_ptr<Kernel> reduce_l2_kernel(const Node& node, int64_t) {
  return reduction(node,
                   {0, add_square, add_square, [](double sum, double) { return std::sqrt(sum); }});
}

std::unique_ptr<Kernel> reduce_sum_square_kernel(const Node& node, int64_t) {
  return reduction(node, {0, add_square, add_square, nullptr});
}

std::unique_ptr<Kernel> reduce_log_sum_kernel(const Node& node, int64_t) {
  return reduction(node, {0, wrapping_add<double>, wrapping_add<int64_t>,
                          [](double sum, double) { return std::log(sum); }});
}

std::unique_ptr<Kernel> reduce_log_sum_exp_kernel(const Node& node, int64_t) {
  return reduction(node, {-std::numeric_limits<double>::infinity(), log_add, nullptr, nullptr});
}

}  // namespace limbeck
