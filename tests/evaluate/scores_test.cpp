#include "lib/evaluate/scores.h"

#include <array>
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_floating_point.hpp>
#include <cmath>

#include "lib/evaluate/totals.h"
#include "lib/evaluate/values.h"

using namespace limbeck;
using Catch::Matchers::WithinAbs;

TEST_CASE("class scores are the first float output of more than one column", "[evaluate]") {
  const std::vector<Tensor> outputs = {
      Tensor::zeros(DataType::kInt64, {2, 4}), Tensor::zeros(DataType::kFloat, {2, 1}),
      Tensor::zeros(DataType::kFloat, {2, 4, 1}), Tensor::zeros(DataType::kFloat, {2, 3})};
  CHECK(find_scores(outputs, 2) == 3U);
  CHECK_FALSE(find_scores(outputs, 5).has_value());
  const std::vector<Tensor> maps = {Tensor::zeros(DataType::kFloat, {2, 4, 1, 2}),
                                    Tensor::zeros(DataType::kFloat, {2, 4, 1, 1})};
  CHECK(find_scores(maps, 2) == 1U);
}

TEST_CASE("probabilities are non-negative and sum to one within five percent", "[evaluate]") {
  CHECK(looks_like_probabilities(std::array{0.3F, 0.7F}));
  CHECK(looks_like_probabilities(std::array{0.3F, 0.66F}));
  CHECK_FALSE(looks_like_probabilities(std::array{0.3F, 0.6F}));
  CHECK_FALSE(looks_like_probabilities(std::array{-0.1F, 1.1F}));
}

TEST_CASE("log-softmax withstands large logits", "[evaluate]") {
  const auto logs = log_probabilities(std::array{1000.0F, 1000.0F}, ScoreKind::kLogits);
  CHECK_THAT(logs[0], WithinAbs(-std::log(2.0), 1e-12));
  const auto apart = log_probabilities(std::array{-3e38F, 3e38F}, ScoreKind::kLogits);
  CHECK(apart[1] == 0.0);
  CHECK(std::isfinite(apart[0]));
}

TEST_CASE("a probability of zero costs the logarithm of 1e-12", "[evaluate]") {
  const auto logs = log_probabilities(std::array{0.0F, 1.0F}, ScoreKind::kProbabilities);
  CHECK_THAT(logs[0], WithinAbs(std::log(1e-12), 1e-9));
  CHECK(logs[1] == 0.0);
}

TEST_CASE("probabilities that do not quite sum to one are scaled", "[evaluate]") {
  const auto logs = log_probabilities(std::array{0.49F, 0.49F}, ScoreKind::kProbabilities);
  CHECK_THAT(logs[0], WithinAbs(std::log(0.5), 1e-12));
}

TEST_CASE("KL of (1/2, 1/2) against (1/4, 3/4) is half of ln(4/3)", "[evaluate]") {
  const std::array reference = {std::log(0.5), std::log(0.5)};
  const std::array model = {std::log(0.25), std::log(0.75)};
  CHECK_THAT(kl_divergence(reference, model), WithinAbs(0.5 * std::log(4.0 / 3.0), 1e-12));
  CHECK(kl_divergence(model, model) == 0.0);
}

TEST_CASE("SQNR stays a number at its ends", "[evaluate]") {
  CHECK(sqnr_db(1, 0) == 200.0);
  CHECK(sqnr_db(0, 0) == 200.0);
  CHECK(sqnr_db(0, 1) == -200.0);
  CHECK_THAT(sqnr_db(100, 1), WithinAbs(20.0, 1e-12));
  CHECK(sqnr_db(1e300, 1e-300) == 200.0);
}

TEST_CASE("the cosine of two zero vectors is one, of one zero vector zero", "[evaluate]") {
  CHECK(cosine_of(0, 0, 0) == 1.0);
  CHECK(cosine_of(0, 0, 4) == 0.0);
  CHECK(cosine_of(-6, 4, 9) == -1.0);
}

TEST_CASE("a distance sums squares and keeps the largest gap", "[evaluate]") {
  const Distance d = distance(std::array{3.0F, -4.0F}, std::array{1.0F, -4.0F});
  CHECK(d.signal == 25.0);
  CHECK(d.model_square == 17.0);
  CHECK(d.noise == 4.0);
  CHECK(d.dot == 19.0);
  CHECK(d.max_abs == 2.0);
}
