#include "lib/ops/dropout_training.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <cmath>

#include "lib/base/error.h"
#include "tests/support/model_builder.h"

namespace limbeck::test {

TEST_CASE("a dropout mask holds zeros and the inverse of what is kept", "[ops][gradient]") {
  const Tensor mask = dropout_mask(DataType::kFloat, {100, 100}, 0.25, 1, "test");
  size_t dropped = 0;
  for (const float item : mask.as<float>()) {
    const bool zero = item == 0.0F;
    CHECK((zero || item == 4.0F / 3.0F));
    dropped += zero ? 1 : 0;
  }
  // 10000 draws of probability 1/4: the standard deviation is 43.
  CHECK(dropped > 2500 - 5 * 43);
  CHECK(dropped < 2500 + 5 * 43);
}

TEST_CASE("a dropout mask depends on its seed alone", "[ops][gradient]") {
  const auto draw = [](uint64_t seed) {
    return dropout_mask(DataType::kDouble, {64}, 0.5, seed, "test").to_float();
  };
  CHECK(draw(3) == draw(3));
  CHECK(draw(3) != draw(4));
}

TEST_CASE("masks of neighbouring seeds are not shifted copies of each other", "[ops][gradient]") {
  const auto draw = [](uint64_t seed) {
    return dropout_mask(DataType::kFloat, {256}, 0.5, seed, "test").to_float();
  };
  // The step from element to element of the generator.
  constexpr uint64_t kStep = 0x9E3779B97F4A7C15ULL;
  const std::vector<float> first = draw(5);
  for (const uint64_t seed : {uint64_t{6}, uint64_t{5} + kStep}) {
    const std::vector<float> second = draw(seed);
    size_t equal = 0;
    for (size_t i = 0; i + 1 < first.size(); ++i) equal += first[i + 1] == second[i] ? 1 : 0;
    CHECK(equal < 200);  // 128 expected, standard deviation 8
  }
}

TEST_CASE("a ratio of zero keeps everything, and a ratio of one is refused", "[ops][gradient]") {
  const Tensor mask = dropout_mask(DataType::kFloat, {3}, 0.0, 1, "test");
  CHECK(dropout_apply(floats({1, -2, 3}), mask, "test").to_float() == std::vector<float>{1, -2, 3});
  CHECK_THROWS_WITH(dropout_mask(DataType::kFloat, {3}, 1.0, 1, "node 'd' (Dropout)"),
                    Catch::Matchers::ContainsSubstring("ratio must be at least 0 and below 1"));
}

}  // namespace limbeck::test
