// Is a difference between two models real? Paired statistics on per-sample results.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "lib/evaluate/evaluate.h"

namespace limbeck {

/// Wilson score interval at 95 % of `hits` out of `trials`, as fractions in [0, 1]. trials > 0.
Interval wilson_interval(int64_t hits, int64_t trials);

/// Score interval at 95 % of the difference (only_b - only_a) / samples of paired proportions, in
/// [-1, 1] (T. Tango, Statistics in Medicine 17, 1998). It leaves zero out exactly where the
/// asymptotic McNemar statistic is above 1.96. samples > 0.
Interval tango_interval(int64_t only_a, int64_t only_b, int64_t samples);

/// One test a figure: McNemar's for top-1, the bootstrap for the loss.
struct PairedComparison {
  int64_t samples = 0;
  int64_t only_a_correct = 0;
  int64_t only_b_correct = 0;
  double difference = 0;  ///< top-1 of b minus top-1 of a, percentage points
  /// 95 % of the difference, points: tango_interval(), widened to zero where the exact test, which
  /// is the stricter one, finds no difference. So zero lies within exactly when not significant.
  Interval interval;
  double p_value = 1;          ///< exact two-sided McNemar test (McNemar 1947; binomial form)
  bool significant = false;    ///< p_value < 0.05
  double loss_difference = 0;  ///< mean loss of b minus a, nats
  Interval loss_interval;      ///< 95 %, paired bootstrap, percentile method
};

/// Pairs records by index (those in both), whatever their order; seeded bootstrap of 2000
/// resamples, the same numbers every time. Raises kData when no index is shared.
PairedComparison compare_records(std::span<const SampleRecord> a, std::span<const SampleRecord> b,
                                 uint64_t seed = 0);

}  // namespace limbeck
