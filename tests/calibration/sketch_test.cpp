#include "calibration/sketch.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cfloat>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

using limbeck::Extremes;
using limbeck::find_extremes;
using limbeck::Sketch;

namespace {

using Floats = std::vector<float>;
constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kTiny = std::numeric_limits<float>::denorm_min();

Sketch sketch_of(const Floats& values) {
  Sketch sketch;
  REQUIRE(sketch.add(values));
  return sketch;
}

/// The sketch of values that arrive in pieces, moving average aside.
Sketch recorded(const Floats& values, size_t piece) {
  Sketch sketch;
  for (size_t start = 0; start < values.size(); start += piece) {
    const std::span<const float> all(values);
    const auto part = all.subspan(start, std::min(piece, values.size() - start));
    sketch.record(part, find_extremes(part));
  }
  return sketch;
}

/// The definition of the grid in double precision, where all quotients are exact.
void check_definition(const Floats& values) {
  const Sketch sketch = sketch_of(values);
  int exponent = -126;
  const auto fits = [&](float value) {
    const double quotient = std::floor(std::ldexp(static_cast<double>(value), -exponent));
    return quotient >= -4096 && quotient < 4096;
  };
  while (!std::all_of(values.begin(), values.end(), fits)) ++exponent;
  std::vector<uint64_t> bins(8192, 0);
  for (const float value : values) {
    const double quotient = std::floor(std::ldexp(static_cast<double>(value), -exponent));
    ++bins[static_cast<size_t>(quotient + 4096)];
  }
  CHECK(sketch.exponent() == exponent);
  CHECK(sketch.bins() == bins);
  CHECK(sketch.count() == static_cast<int64_t>(values.size()));
  CHECK(sketch.min() == *std::min_element(values.begin(), values.end()));
  CHECK(sketch.max() == *std::max_element(values.begin(), values.end()));
}

Floats normal(size_t count, float deviation, unsigned seed) {
  std::mt19937 engine(seed);
  std::normal_distribution<float> distribution(0.0F, deviation);
  Floats values(count);
  for (float& value : values) value = distribution(engine);
  return values;
}

}  // namespace

TEST_CASE("bins are dyadic: 0, 0.5, 1 and -1 lie at multiples of 2^-11", "[calibration]") {
  // 1 is not below 4096 * 2^-12, so the width is 2^-11 and the middle bin is number 4096.
  const Sketch sketch = sketch_of({0.0F, 0.5F, 1.0F, -1.0F, 0.5F});
  CHECK(sketch.exponent() == -11);
  CHECK(sketch.bins()[4096] == 1);
  CHECK(sketch.bins()[4096 + 1024] == 2);
  CHECK(sketch.bins()[4096 + 2048] == 1);
  CHECK(sketch.bins()[4096 - 2048] == 1);
  CHECK(sketch.edge(4096 + 1024) == 0.5);
  CHECK(sketch.count() == 5);
}

TEST_CASE("the lowest bin is closed, the highest open", "[calibration]") {
  const Sketch sketch = sketch_of({-1.0F});
  CHECK(sketch.exponent() == -12);
  CHECK(sketch.bins()[0] == 1);
  CHECK(sketch_of({1.0F}).exponent() == -11);
  CHECK(sketch_of({std::nextafter(1.0F, 0.0F)}).exponent() == -12);
}

TEST_CASE("a sketch follows its definition for values of every magnitude", "[calibration]") {
  check_definition({0.0F, 0.0F, 0.0F});
  check_definition({-0.0F});
  check_definition({3.25F});
  check_definition({-2.0F, -3.0F, -1e-3F});
  check_definition({kTiny, -kTiny, 3 * kTiny, FLT_MIN, 0.0F});
  check_definition({FLT_MAX, -FLT_MAX, 1e38F, -1e30F, 1.0F});
  check_definition(normal(70001, 1.0F, 1));
  check_definition(normal(301, 1e-39F, 2));
  check_definition(normal(20000, 1e37F, 3));
}

TEST_CASE("a value of zero has the finest grid", "[calibration]") {
  const Sketch sketch = sketch_of({0.0F, 0.0F});
  CHECK(sketch.exponent() == Sketch::kSmallestExponent);
  CHECK(sketch.min() == 0.0F);
  CHECK(sketch.max() == 0.0F);
  CHECK(sketch.bins()[4096] == 2);
}

TEST_CASE("the largest float fits the coarsest grid", "[calibration]") {
  CHECK(sketch_of({FLT_MAX}).exponent() == Sketch::kLargestExponent);
  CHECK(sketch_of({-FLT_MAX}).exponent() == Sketch::kLargestExponent);
}

TEST_CASE("a tiny negative value lies below zero on any grid", "[calibration]") {
  // On the coarse grid the quotient -2^-149 / 2^100 is no float any more.
  for (const Floats& values : {Floats{-kTiny, 1e34F}, Floats{1e34F, -kTiny}}) {
    Sketch one_by_one;
    for (const float value : values) REQUIRE(one_by_one.add({&value, 1}));
    CHECK(one_by_one.bins()[4095] == 1);
    CHECK(sketch_of(values).bins() == one_by_one.bins());
  }
}

TEST_CASE("a sketch does not depend on order or on how values are cut", "[calibration]") {
  Floats values = normal(40000, 3.0F, 4);
  values.push_back(900.0F);
  values.push_back(-1e-20F);
  const Sketch whole = recorded(values, values.size());
  for (const size_t piece : {1U, 7U, 1000U, 16384U, 39999U})
    CHECK(recorded(values, piece) == whole);
  std::shuffle(values.begin(), values.end(), std::mt19937(5));
  CHECK(recorded(values, 333) == whole);
  std::sort(values.begin(), values.end());
  CHECK(recorded(values, 20000) == whole);
}

TEST_CASE("merging is associative and commutative and equals recording at once", "[calibration]") {
  const Floats a = normal(5000, 1e-6F, 6);
  const Floats b = normal(30000, 1.0F, 7);
  const Floats c = {-kTiny, 1e20F, 0.0F};
  const auto merged = [](Sketch left, const Sketch& right) {
    left.merge(right);
    return left;
  };
  const Sketch sa = recorded(a, a.size());
  const Sketch sb = recorded(b, b.size());
  const Sketch sc = recorded(c, c.size());
  Floats all = a;
  all.insert(all.end(), b.begin(), b.end());
  all.insert(all.end(), c.begin(), c.end());
  const Sketch whole = recorded(all, all.size());
  CHECK(merged(merged(sa, sb), sc) == whole);
  CHECK(merged(sa, merged(sb, sc)) == whole);
  CHECK(merged(merged(sc, sb), sa) == whole);
  CHECK(merged(merged(sb, sa), sc) == whole);
  CHECK(merged(Sketch(), sa) == sa);
  CHECK(merged(sa, Sketch()) == sa);
}

TEST_CASE("a sample with NaN or infinity is refused and changes nothing", "[calibration]") {
  Sketch sketch = sketch_of({1.0F, 2.0F});
  const Sketch before = sketch;
  for (const float bad : {kNan, -kNan, kInfinity, -kInfinity}) {
    for (const size_t position : {0U, 5U, 16U, 36U}) {
      Floats sample(37, 0.5F);
      sample[position] = bad;
      CHECK_FALSE(sketch.add(sample));
      CHECK(sketch == before);
    }
  }
}

TEST_CASE("extremes are found at every position of every length", "[calibration]") {
  for (size_t length = 1; length <= 70; ++length) {
    for (size_t position = 0; position < length; ++position) {
      Floats values(length, 0.25F);
      values[position] = -7.5F;
      CHECK(find_extremes(values).low == -7.5F);
      CHECK(find_extremes(values).high == (length == 1 ? -7.5F : 0.25F));
      values[position] = FLT_MAX;
      CHECK(find_extremes(values).high == FLT_MAX);
      CHECK(find_extremes(values).finite);
      values[position] = kInfinity;
      CHECK_FALSE(find_extremes(values).finite);
    }
  }
}

TEST_CASE("both zeros count as positive zero", "[calibration]") {
  for (const Floats& values : {Floats{0.0F, -0.0F}, Floats{-0.0F, 0.0F}, Floats{-0.0F}}) {
    CHECK_FALSE(std::signbit(find_extremes(values).low));
    CHECK_FALSE(std::signbit(find_extremes(values).high));
    CHECK(sketch_of(values).bins()[4096] == values.size());
  }
}

TEST_CASE("the moving average takes one hundredth of each later sample", "[calibration]") {
  Sketch sketch;
  REQUIRE(sketch.add(Floats{0.0F, 10.0F}));
  CHECK(sketch.average_min() == 0.0F);
  CHECK(sketch.average_max() == 10.0F);
  REQUIRE(sketch.add(Floats{-1.0F, 20.0F}));
  CHECK(sketch.average_min() == -0.01F);
  CHECK(sketch.average_max() == 10.1F);
  sketch.merge(sketch_of({500.0F}));
  CHECK(sketch.average_max() == 10.1F);
  CHECK(sketch.max() == 500.0F);
}

TEST_CASE("a restored sketch is the one that was stored", "[calibration]") {
  Sketch sketch = sketch_of(normal(1000, 2.0F, 8));
  REQUIRE(sketch.add(Floats{0.5F}));
  REQUIRE(sketch.average_max() < sketch.max());
  const Sketch restored =
      Sketch::restore(sketch.exponent(), sketch.min(), sketch.max(), sketch.average_min(),
                      sketch.average_max(), sketch.bins());
  CHECK(restored.bins() == sketch.bins());
  CHECK(restored.count() == sketch.count());
  CHECK(restored.average_max() == sketch.average_max());
}
