#include <algorithm>
#include <catch2/catch_test_macros.hpp>

#include "lib/data/dataset.h"

using namespace limbeck;

using Order = std::vector<int64_t>;

TEST_CASE("seed zero is the order of the data", "[data]") {
  CHECK(sample_order(4, 0, 0) == Order{0, 1, 2, 3});
  CHECK(sample_order(4, 2, 0) == Order{0, 1});
  CHECK(sample_order(4, 9, 0) == Order{0, 1, 2, 3});
  CHECK(sample_order(0, 0, 0).empty());
  CHECK(sample_order(0, 3, 5).empty());
}

TEST_CASE("a seed gives the same permutation everywhere", "[data]") {
  // Computed by a Python program from the definition: splitmix64 (whose first outputs for seed
  // 1234567 are published) and a forward Fisher-Yates shuffle.
  CHECK(sample_order(10, 0, 1) == Order{5, 8, 1, 3, 7, 2, 4, 6, 0, 9});
  CHECK(sample_order(10, 0, 2) == Order{0, 6, 9, 4, 5, 2, 8, 3, 7, 1});
  CHECK(sample_order(50000, 8, 42) == Order{25413, 38865, 35294, 5788, 23654, 34202, 22821, 42158});
  CHECK(sample_order(5, 0, UINT64_MAX) == Order{1, 2, 3, 0, 4});
}

TEST_CASE("the first draw is splitmix64 modulo the size", "[data]") {
  // 6457827717110365317 = 922546816730052188 * 7 + 1
  CHECK(sample_order(7, 1, 1234567) == Order{1});
}

TEST_CASE("a shuffle holds every sample once", "[data]") {
  for (const uint64_t seed : {1U, 7U, 1000U}) {
    auto order = sample_order(1000, 0, seed);
    CHECK(order != sample_order(1000, 0, 0));
    std::sort(order.begin(), order.end());
    CHECK(order == sample_order(1000, 0, 0));
  }
}

TEST_CASE("fewer samples are the start of more samples", "[data]") {
  const auto all = sample_order(1000, 0, 3);
  const auto some = sample_order(1000, 100, 3);
  CHECK(std::equal(some.begin(), some.end(), all.begin()));
}

TEST_CASE("every sample has the same chance of coming first", "[data]") {
  std::vector<int> first(10, 0);
  for (uint64_t seed = 1; seed <= 10000; ++seed)
    ++first[static_cast<size_t>(sample_order(10, 1, seed)[0])];
  // Binomial with mean 1000 and deviation 30: five deviations.
  for (const int count : first) CHECK(std::abs(count - 1000) < 150);
}
