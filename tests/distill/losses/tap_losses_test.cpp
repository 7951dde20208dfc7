// The losses on intermediate tensors: numbers that a reader can redo, and their gradients.
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_floating_point.hpp>
#include <cmath>

#include "lib/distill/losses/attention.h"
#include "lib/distill/losses/feature_maps.h"
#include "lib/distill/losses/hint.h"
#include "lib/distill/losses/relation_angle.h"
#include "lib/distill/losses/relation_distance.h"
#include "tests/distill/losses/loss_support.h"
#include "tests/model/expect_error.h"

using namespace limbeck;
using namespace limbeck::test;
using Catch::Matchers::WithinAbs;

namespace {

void check_values(const Tensor& tensor, const std::vector<double>& wanted, double margin = 1e-14) {
  const std::vector<double> values = values_of(tensor);
  REQUIRE(values.size() == wanted.size());
  for (size_t i = 0; i < wanted.size(); ++i) CHECK_THAT(values[i], WithinAbs(wanted[i], margin));
}

LossInput taps(Tensor student, Tensor teacher, int64_t batch = 1) {
  LossInput input;
  input.student = std::move(student);
  input.teacher = std::move(teacher);
  input.batch = batch;
  return input;
}

LossInput hint_taps(Dims student, Dims teacher, int64_t batch) {
  LossInput input = taps(random_doubles(student, 1), random_doubles(teacher, 2), batch);
  input.weights = {random_doubles({teacher[1], student[1], 1, 1}, 3),
                   random_doubles({teacher[1]}, 4)};
  return input;
}

}  // namespace

TEST_CASE("average pooling to a size that does not divide overlaps its cells", "[distill]") {
  FeatureMaps maps = zero_maps(1, 1, 1, 5);
  maps.values = {1, 2, 3, 4, 5};
  // Two cells of five columns: 0-2 and 2-4.
  check_values(doubles({2}, pool_maps(maps, 1, 2).values), {2, 4});
  // Three cells: 0-1, 1-3, 3-4.
  check_values(doubles({3}, pool_maps(maps, 1, 3).values), {1.5, 3, 4.5});
}

TEST_CASE("a hint is the mean squared distance from the adapted student", "[distill]") {
  // One channel of (1, 2) becomes two: 3x + 1 and -x.
  LossInput input = taps(doubles({1, 1, 1, 2}, {1, 2}), doubles({1, 2, 1, 2}, {4, 5, 0, -2}));
  input.weights = {doubles({2, 1, 1, 1}, {3, -1}), doubles({2}, {1, 0})};
  const LossResult result = hint(input);
  // Differences (0, 2), (-1, 0): 5 / 4.
  CHECK(result.loss == 1.25);
  check_values(result.student, {0.5, 3});
  check_values(result.weights[0], {2, -0.5});
  check_values(result.weights[1], {1, -0.5});
}

TEST_CASE("the larger of two hinted maps is pooled to the smaller", "[distill]") {
  LossInput input = taps(doubles({1, 1, 2, 2}, {1, 2, 3, 6}), doubles({1, 1, 1, 1}, {2}));
  input.weights = {doubles({1, 1, 1, 1}, {1}), doubles({1}, {0})};
  const LossResult result = hint(input);
  CHECK(result.loss == 1);
  check_values(result.student, {0.5, 0.5, 0.5, 0.5});
  LossInput turned = taps(doubles({1, 1, 1, 1}, {2}), doubles({1, 1, 2, 2}, {1, 2, 3, 6}));
  turned.weights = input.weights;
  CHECK(hint(turned).loss == 1);
  check_values(hint(turned).student, {-2});
}

TEST_CASE("gradients of hints reach the student and the adapter", "[distill]") {
  for (const LossInput& input :
       {hint_taps({2, 3, 4, 5}, {2, 4, 3, 2}, 5), hint_taps({2, 3, 2, 5}, {2, 2, 4, 3}, 2),
        hint_taps({3, 4}, {3, 2}, 3), hint_taps({1, 2, 3}, {1, 2, 6}, 1)}) {
    CHECK(student_error(hint, input) < kGradientTolerance);
    CHECK(weight_error(hint, input, 0) < kGradientTolerance);
    CHECK(weight_error(hint, input, 1) < kGradientTolerance);
  }
}

TEST_CASE("adapters start within one over the root of the student's channels", "[distill]") {
  const std::vector<Tensor> weights = initial_adapter({8, 16, 4, 4}, {8, 32, 4, 4}, 5);
  REQUIRE(weights.size() == 2);
  CHECK((weights[0].dims() == Dims{32, 16, 1, 1}));
  CHECK((weights[1].dims() == Dims{32}));
  double largest = 0;
  for (const float value : weights[0].to_float()) {
    largest = std::max(largest, static_cast<double>(std::abs(value)));
  }
  CHECK(largest <= 0.25);
  CHECK(largest > 0.24);
  CHECK((initial_adapter({1, 16}, {1, 32}, 5)[0].to_float() == weights[0].to_float()));
  CHECK((initial_adapter({1, 16}, {1, 32}, 6)[0].to_float() != weights[0].to_float()));
}

TEST_CASE("attention compares normalised energies, whatever the scale and channels", "[distill]") {
  // Energies (9, 16) / sqrt(337) and, from two channels, (1 + 0, 0 + 0).
  const LossInput input = taps(doubles({1, 1, 1, 2}, {3, -4}), doubles({1, 2, 1, 2}, {1, 0, 0, 0}));
  const double length = std::sqrt(337.0);
  const double first = 9 / length - 1;
  const double second = 16 / length;
  const LossResult result = attention(input, {});
  CHECK_THAT(result.loss, WithinAbs((first * first + second * second) / 2, 1e-14));
  const LossInput scaled =
      taps(doubles({1, 1, 1, 2}, {30, -40}), doubles({1, 2, 1, 2}, {0, 0, 5, 0}));
  CHECK_THAT(attention(scaled, {}).loss, WithinAbs(result.loss, 1e-14));
}

TEST_CASE("attention of a map of zeros moves nothing", "[distill]") {
  const LossInput input = taps(doubles({1, 1, 1, 2}, {0, 0}), doubles({1, 1, 1, 2}, {1, 0}));
  const LossResult result = attention(input, {});
  CHECK(result.loss == 0.5);
  check_values(result.student, {0, 0});
}

TEST_CASE("gradients of attention are those of its values", "[distill]") {
  const LossInput same = taps(random_doubles({2, 3, 4, 2}, 5), random_doubles({2, 5, 4, 2}, 6), 4);
  const LossInput pooled =
      taps(random_doubles({2, 3, 5, 2}, 7), random_doubles({2, 2, 3, 4}, 8), 2);
  for (const double power : {2.0, 3.0, 4.5}) {
    const auto loss = [power](const LossInput& at) { return attention(at, {power}); };
    CHECK(student_error(loss, same) < kGradientTolerance);
    CHECK(student_error(loss, pooled) < kGradientTolerance);
  }
}

TEST_CASE("distances are compared relative to their mean", "[distill]") {
  // Student on a line at 0, 1, 3: distances 1, 2, 3, mean 2. Teacher: all distances equal.
  const Tensor student = doubles({3, 1}, {0, 1, 3});
  const double height = std::sqrt(0.75);
  const Tensor teacher = doubles({3, 2}, {0, 0, 1, 0, 0.5, height});
  // Relative 1/2, 1, 3/2 against 1: two differences of 1/2, each twice, over nine pairs.
  const LossResult result = relation_distance(taps(student, teacher, 3));
  CHECK_THAT(result.loss, WithinAbs(4 * 0.125 / 9, 1e-14));
  const Tensor longer = doubles({3, 1}, {0, 10, 30});
  CHECK_THAT(relation_distance(taps(longer, teacher, 3)).loss, WithinAbs(4 * 0.125 / 9, 1e-14));
}

TEST_CASE("angles of a right triangle are compared with those of a line", "[distill]") {
  // Cosines at the three vertices: student 0, 0.6, 0.8; teacher (0, 1, 2 on a line) 1, -1, 1 where
  // the student's right angle is at the first vertex.
  const Tensor student = doubles({3, 2}, {0, 0, 3, 0, 0, 4});
  const Tensor teacher = doubles({3, 1}, {0, 1, 2});
  // huber(0 - 1) + huber(0.6 + 1) + huber(0.8 - 1), each twice, over 27 triples.
  const LossResult result = relation_angle(taps(student, teacher, 3));
  CHECK_THAT(result.loss, WithinAbs(2 * (0.5 + 1.1 + 0.02) / 27, 1e-14));
}

TEST_CASE("gradients of the relations are those of their values", "[distill]") {
  const LossInput input = taps(random_doubles({5, 3, 2}, 9), random_doubles({5, 4}, 10), 8);
  CHECK(student_error(relation_distance, input) < kGradientTolerance);
  CHECK(student_error(relation_angle, input) < kGradientTolerance);
}

TEST_CASE("relations do not depend on where the samples lie", "[distill]") {
  const LossInput near = taps(random_doubles({4, 3}, 9), random_doubles({4, 2}, 10), 4);
  LossInput far = near;
  far.student = near.student.clone();
  for (double& value : far.student.mutable_as<double>()) value += 1e6;
  for (const auto& loss : {relation_distance, relation_angle}) {
    CHECK_THAT(loss(far).loss, WithinAbs(loss(near).loss, 1e-8));
    check_values(loss(far).student, values_of(loss(near).student), 1e-8);
  }
}

TEST_CASE("samples that coincide, or stand alone, have no relation", "[distill]") {
  for (const auto& loss : {relation_distance, relation_angle}) {
    const LossResult alone = loss(taps(doubles({1, 2}, {1, 2}), doubles({1, 1}, {3}), 4));
    CHECK(alone.loss == 0);
    check_values(alone.student, {0, 0});
    const LossResult equal = loss(taps(doubles({2, 1}, {1, 1}), doubles({2, 1}, {1, 1}), 4));
    CHECK(equal.loss == 0);
    check_values(equal.student, {0, 0});
    for (const double value :
         values_of(loss(taps(doubles({3, 1}, {1, 1, 2}), doubles({3, 1}, {1, 2, 4}), 3)).student)) {
      CHECK(std::isfinite(value));
    }
  }
}

TEST_CASE("taps that do not fit are named", "[distill]") {
  check_error(error_of([] {
                attention(taps(doubles({1}, {1}), doubles({1, 1}, {1})), {});
              }),
              Category::kUsage, "loss 'attention'",
              "a tap must be samples x channels, with up to two further dimensions", "1");
  check_error(error_of([] {
                relation_distance(taps(doubles({1, 1}, {1}), doubles({2, 1}, {1, 1}), 2));
              }),
              Category::kUsage, "loss 'relation_distance'",
              "student and teacher must have the same samples", "1 and 2");
}
