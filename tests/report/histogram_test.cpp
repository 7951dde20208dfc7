#include "lib/report/histogram.h"

#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>
#include <numeric>
#include <vector>

using namespace limbeck;

namespace {

/// 0, 1, ... 127: a sketch whose bins are far narrower than one.
Sketch counting_sketch() {
  std::vector<float> values(128);
  std::iota(values.begin(), values.end(), 0.0F);
  Sketch sketch;
  sketch.add(values);
  return sketch;
}

}  // namespace

TEST_CASE("a coarse histogram keeps every value and spans the occupied bins", "[report]") {
  const Sketch sketch = counting_sketch();
  const CoarseHistogram coarse = coarse_histogram(sketch, 64);
  REQUIRE(coarse.counts.size() == 64);
  CHECK(std::accumulate(coarse.counts.begin(), coarse.counts.end(), uint64_t{0}) == 128);
  CHECK(coarse.low == 0);
  CHECK(coarse.low + coarse.bin_width * 64 > 127);
  // Two neighbours a bin: the bins are at least 127 / 64 wide and at most one sketch bin wider.
  CHECK(coarse.bin_width >= 127.0 / 64);
  CHECK(coarse.bin_width <= 127.0 / 64 + sketch.bin_width());
  CHECK(coarse.counts[0] == 2);
}

TEST_CASE("the histogram of a constant tensor holds it in the first bin", "[report]") {
  Sketch sketch;
  sketch.add(std::vector<float>(5, -3.0F));
  const CoarseHistogram coarse = coarse_histogram(sketch, 64);
  CHECK(coarse.counts[0] == 5);
  CHECK(coarse.low <= -3.0);
  CHECK(coarse.low + coarse.bin_width > -3.0);
}

TEST_CASE("a range that covers the extremes clips nothing", "[report]") {
  CHECK(clipped_share(counting_sketch(), {0.0F, 127.0F}) == 0);
  CHECK(clipped_share(counting_sketch(), {-5.0F, 500.0F}) == 0);
  CHECK(clipped_share(Sketch(), {0.0F, 1.0F}) == 0);
}

TEST_CASE("the clipped share counts the values outside on both sides", "[report]") {
  // Below 32.5 lie 0..32 (33 values), above 95.5 lie 96..127 (32 values); no bin holds the bounds
  // and a value.
  CHECK(clipped_share(counting_sketch(), {32.5F, 95.5F}) == Catch::Approx(65.0 / 128));
  CHECK(clipped_share(counting_sketch(), {-1.0F, 63.5F}) == Catch::Approx(0.5));
}
