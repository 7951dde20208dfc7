#include <algorithm>
#include <cmath>
#include <limits>

#include "lib/evaluate/statistics.h"

namespace limbeck {
namespace {

constexpr double kNormalQuantile = 1.959963984540054;  // of 0.975
constexpr int kHalvings = 80;

/// Discordant pairs, and how many pairs there are.
struct Table {
  double only_b = 0;
  double only_a = 0;
  double samples = 0;
};

/// The chance of a pair that only a has right, most likely where that of only b is `difference`
/// higher: the positive root of the likelihood equation, a quadratic.
double restricted_chance(const Table& table, double difference) {
  const double square = 2 * table.samples;
  const double linear =
      (2 * table.samples - table.only_b + table.only_a) * difference - table.only_b - table.only_a;
  const double constant = -table.only_a * difference * (1 - difference);
  const double root = std::sqrt(std::max(0.0, linear * linear - 4 * square * constant));
  return (root - linear) / (2 * square);
}

/// Standard normal where `difference` is the true one; falls as `difference` grows.
double score(const Table& table, double difference) {
  const double gap = table.only_b - table.only_a - table.samples * difference;
  const double variance =
      table.samples * (2 * restricted_chance(table, difference) + difference * (1 - difference));
  if (variance > 0) return gap / std::sqrt(variance);
  if (gap == 0) return 0;
  return std::copysign(std::numeric_limits<double>::infinity(), gap);
}

/// Where the score passes `wanted` between `low` and `high`.
double solve(const Table& table, double wanted, double low, double high) {
  for (int i = 0; i < kHalvings; ++i) {
    const double middle = (low + high) / 2;
    (score(table, middle) > wanted ? low : high) = middle;
  }
  return (low + high) / 2;
}

}  // namespace

Interval tango_interval(int64_t only_a, int64_t only_b, int64_t samples) {
  const Table table{static_cast<double>(only_b), static_cast<double>(only_a),
                    static_cast<double>(samples)};
  const double estimate = (table.only_b - table.only_a) / table.samples;
  return {solve(table, kNormalQuantile, -1, estimate), solve(table, -kNormalQuantile, estimate, 1)};
}

}  // namespace limbeck
