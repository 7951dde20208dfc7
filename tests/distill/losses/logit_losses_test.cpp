// The losses on logits: numbers that a reader can redo, and their gradients.
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_floating_point.hpp>
#include <cmath>

#include "lib/distill/losses/decoupled.h"
#include "lib/distill/losses/label_cross_entropy.h"
#include "lib/distill/losses/logits_cosine.h"
#include "lib/distill/losses/logits_mse.h"
#include "lib/distill/losses/soft_targets.h"
#include "tests/distill/losses/loss_support.h"
#include "tests/model/expect_error.h"

using namespace limbeck;
using namespace limbeck::test;
using Catch::Matchers::WithinAbs;

namespace {

void check_values(const Tensor& tensor, const std::vector<double>& wanted) {
  const std::vector<double> values = values_of(tensor);
  REQUIRE(values.size() == wanted.size());
  for (size_t i = 0; i < wanted.size(); ++i) CHECK_THAT(values[i], WithinAbs(wanted[i], 1e-14));
}

/// Logits whose softmax is (1/2, 1/4, 1/4).
Tensor halves() { return doubles({1, 3}, {std::log(2.0), 0, 0}); }
/// Logits whose softmax is a third each.
Tensor thirds() { return doubles({1, 3}, {0, 0, 0}); }

LossInput with_labels(Tensor student, const std::vector<Label>& labels, int64_t batch = 1) {
  LossInput input;
  input.student = std::move(student);
  input.labels = labels;
  input.batch = batch;
  return input;
}

LossInput with_teacher(Tensor student, Tensor teacher, int64_t batch = 1) {
  LossInput input;
  input.student = std::move(student);
  input.teacher = std::move(teacher);
  input.batch = batch;
  return input;
}

}  // namespace

TEST_CASE("cross-entropy is minus the log-probability of the label", "[distill]") {
  const std::vector<Label> labels = plain_labels({1});
  const LossResult result = label_cross_entropy(with_labels(halves(), labels), {});
  CHECK_THAT(result.loss, WithinAbs(std::log(4.0), 1e-14));
  check_values(result.student, {0.5, -0.75, 0.25});
}

TEST_CASE("smoothing gives every class an equal part of the target", "[distill]") {
  const std::vector<Label> labels = plain_labels({0});
  // Target (0.8, 0.1, 0.1): 0.8 log 2 + 0.2 log 4.
  const LossResult result = label_cross_entropy(with_labels(halves(), labels), {.smoothing = 0.3});
  CHECK_THAT(result.loss, WithinAbs(1.2 * std::log(2.0), 1e-14));
  check_values(result.student, {0.5 - 0.8, 0.25 - 0.1, 0.25 - 0.1});
}

TEST_CASE("a mixed label blends the losses of its two classes", "[distill]") {
  const std::vector<Label> labels = {{.label = 0, .other = 2, .share = 0.75}};
  const LossResult result = label_cross_entropy(with_labels(halves(), labels), {});
  CHECK_THAT(result.loss, WithinAbs(0.75 * std::log(2.0) + 0.25 * std::log(4.0), 1e-14));
  check_values(result.student, {0.5 - 0.75, 0.25, 0.25 - 0.25});
}

TEST_CASE("cross-entropy withstands logits of a thousand", "[distill]") {
  const std::vector<Label> labels = plain_labels({1});
  const LossResult result =
      label_cross_entropy(with_labels(doubles({1, 2}, {1000, -1000}), labels), {});
  CHECK(result.loss == 2000);
  check_values(result.student, {1, -1});
}

TEST_CASE("soft targets cost the divergence from teacher to student", "[distill]") {
  // KL of (1/2, 1/4, 1/4) against thirds: 1/2 log 3/2 + 1/2 log 3/4.
  const LossResult result = soft_targets(with_teacher(thirds(), halves()), {.temperature = 1});
  CHECK_THAT(result.loss, WithinAbs(0.5 * std::log(1.5) + 0.5 * std::log(0.75), 1e-14));
  check_values(result.student, {1.0 / 3 - 0.5, 1.0 / 3 - 0.25, 1.0 / 3 - 0.25});
}

TEST_CASE("temperature divides the logits, and its square scales the loss", "[distill]") {
  const Tensor teacher = doubles({1, 3}, {2 * std::log(2.0), 0, 0});
  const LossResult result = soft_targets(with_teacher(thirds(), teacher), {.temperature = 2});
  CHECK_THAT(result.loss, WithinAbs(4 * (0.5 * std::log(1.5) + 0.5 * std::log(0.75)), 1e-14));
  check_values(result.student, {2 * (1.0 / 3 - 0.5), 2 * (1.0 / 3 - 0.25), 2 * (1.0 / 3 - 0.25)});
}

TEST_CASE("squared differences of logits are averaged over the classes", "[distill]") {
  const LossResult result =
      logits_mse(with_teacher(doubles({1, 2}, {3, 1}), doubles({1, 2}, {1, 2})));
  CHECK(result.loss == 2.5);
  check_values(result.student, {2, -1});
}

TEST_CASE("the cosine loss of orthogonal logits is one", "[distill]") {
  const LossResult result =
      logits_cosine(with_teacher(doubles({1, 2}, {2, 0}), doubles({1, 2}, {0, 5})));
  CHECK(result.loss == 1);
  check_values(result.student, {0, -0.5});
}

TEST_CASE("logits of zero have no direction and move nothing", "[distill]") {
  const LossResult result =
      logits_cosine(with_teacher(doubles({1, 2}, {0, 0}), doubles({1, 2}, {0, 5})));
  CHECK(result.loss == 1);
  check_values(result.student, {0, 0});
}

TEST_CASE("decoupled distillation weighs the label's class and the others apart", "[distill]") {
  const std::vector<Label> labels = plain_labels({0});
  // Student: label 1/3, others (1/2, 1/2). Teacher: (1/2, 1/8, 3/8), others (1/4, 3/4).
  const Tensor teacher = doubles({1, 3}, {std::log(4.0), 0, std::log(3.0)});
  LossInput input = with_teacher(thirds(), teacher);
  input.labels = labels;
  const double target = 0.5 * std::log(1.5) + 0.5 * std::log(0.75);
  const double others = 0.25 * std::log(0.5) + 0.75 * std::log(1.5);
  const LossResult result = decoupled(input, {.alpha = 2, .beta = 3, .temperature = 1});
  CHECK_THAT(result.loss, WithinAbs(2 * target + 3 * others, 1e-14));
  check_values(result.student, {2 * (1.0 / 3 - 0.5), 2 * (0.5 - 1.0 / 3) * 0.5 + 3 * (0.5 - 0.25),
                                2 * (0.5 - 1.0 / 3) * 0.5 + 3 * (0.5 - 0.75)});
}

TEST_CASE("decoupled distillation with the paper's weights is that of soft targets", "[distill]") {
  const std::vector<Label> labels = plain_labels({2});
  LossInput input = with_teacher(random_doubles({1, 5}, 1), random_doubles({1, 5}, 2));
  input.labels = labels;
  double sum = 0;
  for (const double value : values_of(input.teacher)) sum += std::exp(value / 3);
  const double beta = 1 - std::exp(values_of(input.teacher)[2] / 3) / sum;
  const LossResult parts = decoupled(input, {.alpha = 1, .beta = beta, .temperature = 3});
  const LossResult whole = soft_targets(input, {.temperature = 3});
  CHECK_THAT(parts.loss, WithinAbs(whole.loss, 1e-14));
  check_values(parts.student, values_of(whole.student));
}

TEST_CASE("decoupled distillation is finite where the label is certain", "[distill]") {
  const std::vector<Label> labels = plain_labels({0});
  LossInput input = with_teacher(doubles({1, 3}, {800, 1, 1}), doubles({1, 3}, {900, 0, 0}));
  input.labels = labels;
  const LossResult result = decoupled(input, {.temperature = 1});
  CHECK_THAT(result.loss, WithinAbs(0, 1e-14));
  check_values(result.student, {0, 0, 0});
}

TEST_CASE("gradients of the losses on logits are those of their values", "[distill]") {
  const std::vector<Label> labels = {{1, 0, 1}, {0, 3, 0.25}, {4, 2, 0.5}};
  LossInput input = with_teacher(random_doubles({3, 5}, 3), random_doubles({3, 5}, 4), 7);
  input.labels = labels;
  CHECK(student_error([](const LossInput& at) { return label_cross_entropy(at, {0.1}); }, input) <
        kGradientTolerance);
  CHECK(student_error([](const LossInput& at) { return soft_targets(at, {2.5}); }, input) <
        kGradientTolerance);
  CHECK(student_error(logits_mse, input) < kGradientTolerance);
  CHECK(student_error(logits_cosine, input) < kGradientTolerance);
  CHECK(student_error(
            [](const LossInput& at) {
              return decoupled(at, {1.5, 6, 2});
            },
            input) < kGradientTolerance);
}

TEST_CASE("classes and labels that do not fit are named", "[distill]") {
  const std::vector<Label> wrong = plain_labels({3});
  check_error(error_of([&] { label_cross_entropy(with_labels(thirds(), wrong), {}); }),
              Category::kData, "loss 'label_cross_entropy', row 0",
              "labels must be at least 0 and below the number of classes, 3", "3");
  check_error(error_of([&] { label_cross_entropy(with_labels(thirds(), {}), {}); }),
              Category::kData, "loss 'label_cross_entropy'", "every sample must have a label",
              "0 labels for 1 samples");
  check_error(error_of([&] {
                soft_targets(with_teacher(thirds(), doubles({1, 2}, {0, 0})), {});
              }),
              Category::kUsage, "loss 'soft_targets'",
              "student and teacher must have the same samples and classes", "1x3 and 1x2");
  check_error(error_of([&] {
                logits_mse(with_teacher(random_doubles({1, 3, 2, 2}, 1), thirds()));
              }),
              Category::kUsage, "loss 'logits_mse'", "logits must be samples x classes", "1x3x2x2");
}
