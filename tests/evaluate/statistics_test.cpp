#include "lib/evaluate/statistics.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <catch2/matchers/catch_matchers_floating_point.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <random>

#include "lib/base/error.h"

using namespace limbeck;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::MessageMatches;
using Catch::Matchers::WithinAbs;

namespace {

struct Outcome {
  int64_t both = 0;
  int64_t only_a = 0;
  int64_t only_b = 0;
  int64_t none = 0;
};

struct Records {
  std::vector<SampleRecord> a;
  std::vector<SampleRecord> b;
};

Records records(const Outcome& outcome) {
  Records result;
  const auto add = [&result](int64_t count, bool a, bool b) {
    for (int64_t i = 0; i < count; ++i) {
      const auto index = static_cast<int64_t>(result.a.size());
      result.a.push_back({index, a, a ? 0.5 : 2.0});
      result.b.push_back({index, b, b ? 0.5 : 2.0});
    }
  };
  add(outcome.both, true, true);
  add(outcome.only_a, true, false);
  add(outcome.only_b, false, true);
  add(outcome.none, false, false);
  return result;
}

PairedComparison compare(const Outcome& outcome) {
  const Records r = records(outcome);
  return compare_records(r.a, r.b);
}

void check_interval(const Interval& interval, double low, double high, double margin) {
  CHECK_THAT(interval.low, WithinAbs(low, margin));
  CHECK_THAT(interval.high, WithinAbs(high, margin));
}

/// Pairs drawn with chance 0.1 of a difference in favour of b and 0.05 in favour of a.
Records draw(int64_t count, unsigned seed) {
  std::mt19937 generator(seed);
  Records result;
  for (int64_t i = 0; i < count; ++i) {
    const auto roll = generator() % 100;
    result.a.push_back({i, roll >= 10, 0});
    result.b.push_back({i, roll < 10 || roll >= 15, 0});
  }
  return result;
}

}  // namespace

TEST_CASE("Wilson intervals are those that Newcombe published", "[evaluate]") {
  // R. G. Newcombe, Statistics in Medicine 17 (1998), table I, method 3.
  check_interval(wilson_interval(81, 263), 0.2553, 0.3662, 5e-5);
  check_interval(wilson_interval(15, 148), 0.0624, 0.1605, 5e-5);
  check_interval(wilson_interval(0, 20), 0.0, 0.1611, 5e-5);
  check_interval(wilson_interval(1, 29), 0.0061, 0.1718, 5e-5);
}

TEST_CASE("a Wilson interval touches zero and one exactly", "[evaluate]") {
  CHECK(wilson_interval(0, 7).low == 0.0);
  CHECK(wilson_interval(7, 7).high == 1.0);
  // z^2 / (n + z^2) with z^2 = 3.841459
  CHECK_THAT(wilson_interval(0, 7).high, WithinAbs(3.841459 / 10.841459, 1e-7));
  CHECK_THAT(wilson_interval(7, 7).low, WithinAbs(7.0 / 10.841459, 1e-7));
}

TEST_CASE("McNemar's p-value is twice the tail of a fair coin", "[evaluate]") {
  // 2 (1) / 2^5, 2 (1 + 6) / 2^6, 2 (1 + 10) / 2^10
  CHECK_THAT(compare({90, 0, 5, 5}).p_value, WithinAbs(0.0625, 1e-12));
  CHECK_THAT(compare({90, 5, 1, 4}).p_value, WithinAbs(0.21875, 1e-12));
  CHECK_THAT(compare({80, 9, 1, 10}).p_value, WithinAbs(0.021484375, 1e-12));
  CHECK(compare({80, 4, 4, 2}).p_value == 1.0);
  CHECK(compare({80, 0, 0, 2}).p_value == 1.0);
}

TEST_CASE("a difference is significant below five percent", "[evaluate]") {
  CHECK_FALSE(compare({90, 0, 5, 5}).significant);
  CHECK(compare({90, 0, 6, 4}).significant);  // p = 2 / 64
}

TEST_CASE("a paired comparison counts who alone is right", "[evaluate]") {
  const PairedComparison result = compare({80, 3, 7, 10});
  CHECK(result.samples == 100);
  CHECK(result.only_a_correct == 3);
  CHECK(result.only_b_correct == 7);
  CHECK_THAT(result.difference, WithinAbs(4.0, 1e-12));
  CHECK_THAT(result.loss_difference, WithinAbs(-0.06, 1e-12));
  CHECK(result.interval.low < 4.0);
  CHECK(result.interval.high > 4.0);
}

TEST_CASE("losses that all change alike have an interval of no width", "[evaluate]") {
  check_interval(compare({0, 0, 20, 0}).loss_interval, -1.5, -1.5, 1e-12);
}

TEST_CASE("Tango's score interval is the published one", "[evaluate]") {
  // 21 children, 1 against 7: Fagerland, Lydersen, Laake, Statistics in Medicine 33 (2014), who
  // count the other way round.
  check_interval(tango_interval(7, 1, 21), -0.517, -0.026, 5e-4);
  check_interval(tango_interval(1, 7, 21), 0.026, 0.517, 5e-4);
}

TEST_CASE("Tango's interval without discordant pairs is z^2 / (n + z^2) wide on either side",
          "[evaluate]") {
  check_interval(tango_interval(0, 0, 20), -3.841459 / 23.841459, 3.841459 / 23.841459, 1e-7);
}

TEST_CASE("Tango's interval leaves zero out from a McNemar statistic of 1.96 on", "[evaluate]") {
  // (b - a) / sqrt(a + b): 4 / 2 = 2 and 3 / sqrt(3) = 1.73, 20 / 10 = 2 and 19 / sqrt(99) = 1.91
  CHECK(tango_interval(0, 4, 50).low > 0);
  CHECK(tango_interval(0, 3, 50).low < 0);
  CHECK(tango_interval(60, 40, 5000).high < 0);
  CHECK(tango_interval(59, 40, 5000).high > 0);
}

TEST_CASE("the interval of a difference holds zero exactly when the test finds no difference",
          "[evaluate]") {
  for (int64_t a = 0; a <= 30; ++a) {
    for (int64_t b = 0; b <= 30; ++b) {
      const PairedComparison result = compare({5, a, b, 5});
      const bool holds_zero = result.interval.low <= 0 && result.interval.high >= 0;
      INFO(a << " only right in a, " << b << " in b");
      CHECK(holds_zero == !result.significant);
      CHECK(result.interval.low <= result.difference);
      CHECK(result.interval.high >= result.difference);
    }
  }
}

TEST_CASE("where the score interval and the exact test disagree the interval ends at zero",
          "[evaluate]") {
  // 1 against 7: the asymptotic statistic is 2.12, but the exact p is 2 (1 + 8) / 2^8 = 0.0703.
  const PairedComparison result = compare({13, 1, 7, 0});
  CHECK_FALSE(result.significant);
  CHECK(result.interval.low == 0.0);
  CHECK_THAT(result.interval.high, WithinAbs(51.7, 0.05));
}

TEST_CASE("records pair up by index, whatever their order", "[evaluate]") {
  Records r = records({10, 2, 5, 3});
  const PairedComparison ordered = compare_records(r.a, r.b, 9);
  std::reverse(r.b.begin(), r.b.end());
  r.b.push_back({1000, true, 0.1});  // a knows nothing of it
  const PairedComparison shuffled = compare_records(r.a, r.b, 9);
  CHECK(shuffled.samples == 20);
  CHECK(shuffled.only_b_correct == 5);
  CHECK(shuffled.interval.low == ordered.interval.low);
  CHECK(shuffled.interval.high == ordered.interval.high);
  CHECK(shuffled.loss_interval.low == ordered.loss_interval.low);
}

TEST_CASE("records without a common index are a data error", "[evaluate]") {
  const std::vector<SampleRecord> a = {{1, true, 0}};
  const std::vector<SampleRecord> b = {{2, true, 0}};
  CHECK_THROWS_MATCHES(compare_records(a, b), Error,
                       MessageMatches(ContainsSubstring("without a common index")));
}

TEST_CASE("the bootstrap gives the same numbers every time and others for another seed",
          "[evaluate]") {
  const Records r = records({800, 30, 50, 120});
  const PairedComparison first = compare_records(r.a, r.b, 1);
  const PairedComparison again = compare_records(r.a, r.b, 1);
  CHECK(first.loss_interval.low == again.loss_interval.low);
  CHECK(first.loss_interval.high == again.loss_interval.high);
  const PairedComparison other = compare_records(r.a, r.b, 2);
  CHECK((other.loss_interval.low != first.loss_interval.low ||
         other.loss_interval.high != first.loss_interval.high));
}

TEST_CASE("intervals of many samples have the width of the normal approximation", "[evaluate]") {
  // variance of one difference: 0.15 - 0.05^2; 1.96 sqrt(0.1475 / 1000) = 2.38 points
  const PairedComparison result = compare({800, 50, 100, 50});
  check_interval(result.interval, 5.0 - 2.38, 5.0 + 2.38, 0.25);
  // A loss falls by 1.5 where only b is right: 1.5 times as much.
  check_interval(result.loss_interval, -0.075 - 0.0357, -0.075 + 0.0357, 0.004);
}

TEST_CASE("95 % intervals of a difference hold the true one about that often", "[evaluate]") {
  int held = 0;
  for (unsigned seed = 0; seed < 100; ++seed) {
    const Records r = draw(100, seed);
    const Interval interval = compare_records(r.a, r.b, seed).interval;
    held += interval.low <= 5.0 && 5.0 <= interval.high ? 1 : 0;
  }
  CHECK(held >= 88);
  CHECK(held <= 99);
}
