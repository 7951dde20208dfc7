#include "lib/base/philox.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_floating_point.hpp>

using namespace limbeck;
using Catch::Matchers::WithinAbs;

TEST_CASE("philox gives the known answers of its authors", "[base]") {
  // Random123, kat_vectors: zeros, ones, digits of pi.
  CHECK((philox({0, 0, 0, 0}, {0, 0}) ==
         PhiloxCounter{0x6627e8d5U, 0xe169c58dU, 0xbc57ac4cU, 0x9b00dbd8U}));
  CHECK((philox({~0U, ~0U, ~0U, ~0U}, {~0U, ~0U}) ==
         PhiloxCounter{0x408f276dU, 0x41c83b0eU, 0xa20bc7c6U, 0x6d5451fdU}));
  CHECK((philox({0x243f6a88U, 0x85a308d3U, 0x13198a2eU, 0x03707344U}, {0xa4093822U, 0x299f31d0U}) ==
         PhiloxCounter{0xd16cfe09U, 0x94fdccebU, 0x5001e420U, 0x24126ea1U}));
}

TEST_CASE("a stream of random numbers is a function of its four names", "[base]") {
  const auto first = [](uint64_t seed, uint32_t purpose, uint32_t epoch, uint64_t index) {
    return RandomStream(seed, purpose, epoch, index).uniform();
  };
  const double reference = first(1, 2, 3, 4);
  CHECK(first(1, 2, 3, 4) == reference);
  CHECK(first(2, 2, 3, 4) != reference);
  CHECK(first(1, 1, 3, 4) != reference);
  CHECK(first(1, 2, 4, 4) != reference);
  CHECK(first(1, 2, 3, 5) != reference);
  CHECK(first(1ULL << 32U, 2, 3, 4) != first(1ULL << 33U, 2, 3, 4));
}

TEST_CASE("the first word of a stream is the top of a 53-bit fraction", "[base]") {
  // Counter and key are zero: the words are 6627e8d5 e169c58d.
  CHECK(RandomStream(0, 0, 0, 0).uniform() ==
        static_cast<double>(0x6627e8d5e169c58dULL >> 11U) / 9007199254740992.0);
}

TEST_CASE("uniform draws fill the interval evenly", "[base]") {
  RandomStream random(7, 0, 0, 0);
  double sum = 0;
  int counts[4] = {};
  for (int i = 0; i < 4000; ++i) {
    sum += random.uniform();
    ++counts[random.below(4)];
  }
  CHECK_THAT(sum / 4000, WithinAbs(0.5, 0.02));
  for (const int count : counts) CHECK_THAT(count / 4000.0, WithinAbs(0.25, 0.03));
}
