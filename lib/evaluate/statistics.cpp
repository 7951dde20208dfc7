#include "lib/evaluate/statistics.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

#include "lib/base/error.h"

namespace limbeck {
namespace {

constexpr double kNormalQuantile = 1.959963984540054;  // of 0.975
constexpr int kResamples = 2000;
constexpr double kSignificance = 0.05;

/// SplitMix64 (Steele, Lea, Flood 2014): standard-library distributions differ between libraries,
/// and these numbers must not.
class SplitMix {
 public:
  explicit SplitMix(uint64_t seed) : state_(seed) {}
  uint64_t next() {
    uint64_t bits = state_ += 0x9E3779B97F4A7C15U;
    bits = (bits ^ (bits >> 30U)) * 0xBF58476D1CE4E5B9U;
    bits = (bits ^ (bits >> 27U)) * 0x94D049BB133111EBU;
    return bits ^ (bits >> 31U);
  }
  /// In [0, count); count is below 2^32, so the bias of the multiplication stays under 2^-32 count.
  size_t below(size_t count) {
    return static_cast<size_t>(((next() >> 32U) * static_cast<uint64_t>(count)) >> 32U);
  }

 private:
  uint64_t state_;
};

/// Differences b - a of the samples in both sets, in order of index, so that the bootstrap does not
/// depend on the order of the records.
struct Pairs {
  int64_t only_a_correct = 0;
  int64_t only_b_correct = 0;
  std::vector<double> loss;
};

Pairs pair_up(std::span<const SampleRecord> a, std::span<const SampleRecord> b) {
  std::map<int64_t, const SampleRecord*> first;
  for (const SampleRecord& record : a) first.emplace(record.index, &record);
  std::map<int64_t, const SampleRecord*> second;
  for (const SampleRecord& record : b) second.emplace(record.index, &record);
  Pairs pairs;
  for (const auto& [index, record] : first) {
    const auto found = second.find(index);
    if (found == second.end()) continue;
    pairs.only_a_correct += record->correct && !found->second->correct ? 1 : 0;
    pairs.only_b_correct += !record->correct && found->second->correct ? 1 : 0;
    pairs.loss.push_back(found->second->loss - record->loss);
  }
  return pairs;
}

double mean_of(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

/// Linear interpolation between the closest ranks.
double quantile(const std::vector<double>& sorted, double share) {
  const double position = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<size_t>(position);
  const size_t above = std::min(below + 1, sorted.size() - 1);
  const double weight = position - static_cast<double>(below);
  return sorted[below] + weight * (sorted[above] - sorted[below]);
}

Interval middle_of(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return {quantile(values, 0.025), quantile(values, 0.975)};
}

Interval bootstrap(const std::vector<double>& differences, uint64_t seed) {
  SplitMix random(seed);
  const size_t count = differences.size();
  std::vector<double> means;
  means.reserve(kResamples);
  for (int i = 0; i < kResamples; ++i) {
    double sum = 0;
    for (size_t draw = 0; draw < count; ++draw) sum += differences[random.below(count)];
    means.push_back(sum / static_cast<double>(count));
  }
  return middle_of(std::move(means));
}

double log_choose(double n, double k) {
  return std::lgamma(n + 1) - std::lgamma(k + 1) - std::lgamma(n - k + 1);
}

/// Twice the lower tail of Binomial(n, 1/2): under the null hypothesis each discordant sample
/// favours either model with equal chance.
double mcnemar(int64_t only_a, int64_t only_b) {
  if (only_a == only_b) return 1.0;
  const auto n = static_cast<double>(only_a + only_b);
  double tail = 0;
  for (int64_t k = 0; k <= std::min(only_a, only_b); ++k) {
    tail += std::exp(log_choose(n, static_cast<double>(k)) - n * std::log(2.0));
  }
  return std::min(1.0, 2.0 * tail);
}

/// In points, and with zero in it unless the test excludes zero.
Interval difference_interval(const PairedComparison& paired) {
  const Interval score =
      tango_interval(paired.only_a_correct, paired.only_b_correct, paired.samples);
  const Interval points = {100.0 * score.low, 100.0 * score.high};
  if (paired.significant) return points;
  return {std::min(points.low, 0.0), std::max(points.high, 0.0)};
}

}  // namespace

Interval wilson_interval(int64_t hits, int64_t trials) {
  const auto n = static_cast<double>(trials);
  const double share = static_cast<double>(hits) / n;
  const double square = kNormalQuantile * kNormalQuantile;
  const double scale = 1.0 + square / n;
  const double middle = (share + square / (2 * n)) / scale;
  const double half =
      kNormalQuantile / scale * std::sqrt(share * (1 - share) / n + square / (4 * n * n));
  // Exact bounds where rounding would leave 1e-17.
  return {hits == 0 ? 0.0 : std::max(0.0, middle - half),
          hits == trials ? 1.0 : std::min(1.0, middle + half)};
}

PairedComparison compare_records(std::span<const SampleRecord> a, std::span<const SampleRecord> b,
                                 uint64_t seed) {
  const Pairs pairs = pair_up(a, b);
  if (pairs.loss.empty()) {
    throw_error(Category::kData, "sample records", "both must cover at least one common sample",
                std::to_string(a.size()) + " and " + std::to_string(b.size()) +
                    " records without a common index",
                "evaluate both models on the same samples");
  }
  PairedComparison result;
  result.samples = static_cast<int64_t>(pairs.loss.size());
  result.only_a_correct = pairs.only_a_correct;
  result.only_b_correct = pairs.only_b_correct;
  result.difference = 100.0 * static_cast<double>(result.only_b_correct - result.only_a_correct) /
                      static_cast<double>(result.samples);
  result.loss_difference = mean_of(pairs.loss);
  result.p_value = mcnemar(result.only_a_correct, result.only_b_correct);
  result.significant = result.p_value < kSignificance;
  result.interval = difference_interval(result);
  result.loss_interval = bootstrap(pairs.loss, seed);
  return result;
}

}  // namespace limbeck
