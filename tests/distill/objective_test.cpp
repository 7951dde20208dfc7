#include "lib/distill/objective.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_floating_point.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <cmath>

#include "lib/distill/losses/logits_mse.h"
#include "lib/distill/losses/soft_targets.h"
#include "tests/distill/losses/loss_support.h"
#include "tests/model/expect_error.h"

using namespace limbeck;
using namespace limbeck::test;
using Catch::Matchers::StartsWith;
using Catch::Matchers::WithinAbs;
using nlohmann::json;

namespace {

Objective read(const char* text) { return Objective::read(json::parse(text), "/losses"); }

ErrorInfo read_error(const char* text) {
  return error_of([text] { read(text); });
}

}  // namespace

TEST_CASE("an objective is the weighted sum of its losses", "[distill]") {
  const Objective objective = read(R"([{"loss": "logits_mse", "weight": 0.25},
                                       {"loss": "soft_targets", "weight": 0.5, "temperature": 2}])");
  ObjectiveInput input;
  input.student_logits = random_doubles({3, 4}, 1);
  input.teacher_logits = random_doubles({3, 4}, 2);
  input.batch = 6;
  const ObjectiveResult result = objective.evaluate(input);
  const LossInput shard = {input.student_logits, input.teacher_logits, {}, {}, 6};
  const LossResult squares = logits_mse(shard);
  const LossResult soft = soft_targets(shard, {2});
  REQUIRE(result.terms.size() == 2);
  CHECK(result.terms[0] == squares.loss);
  CHECK(result.terms[1] == soft.loss);
  CHECK_THAT(result.loss, WithinAbs(0.25 * squares.loss + 0.5 * soft.loss, 1e-15));
  const std::vector<double> gradient = values_of(result.student_logits);
  for (size_t i = 0; i < gradient.size(); ++i) {
    CHECK_THAT(
        gradient[i],
        WithinAbs(0.25 * values_of(squares.student)[i] + 0.5 * values_of(soft.student)[i], 1e-15));
  }
}

TEST_CASE("a ramp lets a weight grow from zero over its share of the run", "[distill]") {
  const Objective objective = read(R"([{"loss": "logits_mse", "weight": 4, "ramp": 0.5}])");
  ObjectiveInput input;
  input.student_logits = doubles({1, 2}, {1, 0});
  input.teacher_logits = doubles({1, 2}, {0, 0});
  const auto at = [&](double progress) {
    input.progress = progress;
    return objective.evaluate(input);
  };
  // The loss is 1/2, its gradient (1, 0).
  CHECK(at(0).loss == 0);
  CHECK(at(0.125).loss == 0.5);
  CHECK((values_of(at(0.125).student_logits) == std::vector<double>{1, 0}));
  CHECK(at(0.5).loss == 2);
  CHECK(at(1).loss == 2);
  CHECK(at(0.125).terms.at(0) == 0.5);
}

TEST_CASE("an objective says what it reads", "[distill]") {
  const Objective labels_only = read(R"([{"loss": "label_cross_entropy"}])");
  CHECK(labels_only.needs_labels());
  CHECK_FALSE(labels_only.needs_teacher());
  CHECK(labels_only.takes_softmax());
  CHECK_FALSE(labels_only.takes_softmax_of_teacher());
  const Objective soft = read(R"([{"loss": "soft_targets"}])");
  CHECK_FALSE(soft.needs_labels());
  CHECK(soft.takes_softmax_of_teacher());
  const Objective taps = read(R"([{"loss": "hint", "student": "b", "teacher": "x"},
                                  {"loss": "attention", "student": "a", "teacher": "x"},
                                  {"loss": "relation_angle", "student": "b", "teacher": "y"}])");
  CHECK(taps.needs_teacher());
  CHECK_FALSE(taps.takes_softmax());
  CHECK((taps.student_taps() == std::vector<std::string>{"a", "b"}));
  CHECK((taps.teacher_taps() == std::vector<std::string>{"x", "y"}));
}

TEST_CASE("gradients of taps and adapters reach the caller by name and term", "[distill]") {
  const Objective objective =
      read(R"([{"loss": "hint", "weight": 2, "student": "s", "teacher": "t"},
                                       {"loss": "attention", "student": "s", "teacher": "t"}])");
  ObjectiveInput input;
  input.student_taps["s"] = random_doubles({2, 3, 2, 2}, 1);
  input.teacher_taps["t"] = random_doubles({2, 4, 2, 2}, 2);
  input.weights = {{random_doubles({4, 3, 1, 1}, 3), random_doubles({4}, 4)}, {}};
  input.batch = 2;
  const ObjectiveResult result = objective.evaluate(input);
  CHECK(result.student_logits.empty());
  REQUIRE(result.weights.size() == 2);
  CHECK(result.weights[0].size() == 2);
  CHECK(result.weights[1].empty());
  const auto loss_at = [&](const Tensor& at) {
    ObjectiveInput moved = input;
    moved.student_taps["s"] = at;
    return objective.evaluate(moved).loss;
  };
  CHECK(gradient_error(result.student_taps.at("s"),
                       numeric_gradient(input.student_taps["s"], loss_at)) < kGradientTolerance);
  const auto loss_with = [&](const Tensor& at) {
    ObjectiveInput moved = input;
    moved.weights[0][0] = at;
    return objective.evaluate(moved).loss;
  };
  CHECK(gradient_error(result.weights[0][0], numeric_gradient(input.weights[0][0], loss_with)) <
        kGradientTolerance);
}

TEST_CASE("two adapters of the same shape start differently", "[distill]") {
  const Objective objective = read(R"([{"loss": "hint", "student": "s", "teacher": "t"},
                                       {"loss": "logits_mse"},
                                       {"loss": "hint", "student": "s", "teacher": "t"}])");
  const auto weights = objective.initial_weights({{"s", {-1, 3, 2, 2}}}, {{"t", {-1, 4, 2, 2}}}, 1);
  REQUIRE(weights.size() == 3);
  CHECK(weights[1].empty());
  CHECK((weights[0].at(0).dims() == Dims{4, 3, 1, 1}));
  CHECK((weights[0][0].to_float() != weights[2].at(0).to_float()));
  check_error(error_of([&] { objective.initial_weights({}, {}, 1); }), Category::kUsage, "tap 's'",
              "the tensor must exist in the model", "none");
}

TEST_CASE("a recipe's mistakes are named with their place", "[distill]") {
  const ErrorInfo unknown = read_error(R"([{"loss": "soft_targets"}, {"loss": "softtargets"}])");
  check_error(unknown, Category::kUsage, "/losses/1/loss", "the loss must exist", "softtargets");
  CHECK_THAT(unknown.next_step, StartsWith("use one of label_cross_entropy, soft_targets"));
  const ErrorInfo option = read_error(R"([{"loss": "soft_targets", "smoothing": 0.1}])");
  check_error(option, Category::kUsage, "/losses/0/smoothing", "the option must exist",
              "smoothing");
  CHECK(option.next_step == "use one of loss, weight, ramp, temperature");
  check_error(read_error(R"([{"loss": "soft_targets", "temperature": 0}])"), Category::kUsage,
              "/losses/0/temperature", "the value must be a number from 0.01 to 1000", "0");
  check_error(read_error(R"([{"loss": "hint", "student": "a"}])"), Category::kUsage,
              "/losses/0/teacher", "the option is required", "none");
  check_error(read_error(R"([{"loss": "relation_angle", "student": "a"}])"), Category::kUsage,
              "/losses/0", "student and teacher must be named together", "student alone");
  check_error(read_error("[]"), Category::kUsage, "/losses",
              "the losses must be a list with at least one loss", "[]");
  check_error(read_error(R"([{"loss": "logits_mse", "weight": 0}])"), Category::kUsage, "/losses",
              "one weight at least must be above zero", "weights that are all 0");
}
