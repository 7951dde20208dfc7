// What holds for every row of the loss table.
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_floating_point.hpp>
#include <set>

#include "lib/distill/losses/table.h"
#include "tests/distill/losses/loss_support.h"

using namespace limbeck;
using namespace limbeck::test;
using Catch::Matchers::WithinAbs;
using nlohmann::json;

namespace {

LossTerm term_of(const LossRow& row) {
  const json options = {{"student", "a"}, {"teacher", "b"}};
  OptionReader reader(options, "/0");
  return row.make(reader);
}

/// Input for any loss: four samples of six channels or classes.
LossInput example(const LossTerm& term, const std::vector<Label>& labels) {
  const bool tapped = term.source == LossSource::kTap;
  LossInput input;
  input.student = random_doubles(tapped ? Dims{4, 6, 2, 2} : Dims{4, 6}, 11);
  input.teacher = random_doubles(tapped ? Dims{4, 6, 2, 2} : Dims{4, 6}, 12);
  input.labels = labels;
  if (term.initial_weights) {
    input.weights = {random_doubles({6, 6, 1, 1}, 13), random_doubles({6}, 14)};
  }
  input.batch = 4;
  return input;
}

Tensor rows_of(const Tensor& tensor, int64_t begin, int64_t count) {
  Dims dims = tensor.dims();
  const auto width = static_cast<std::ptrdiff_t>(tensor.count() / dims[0]);
  dims[0] = count;
  const std::vector<double> values = values_of(tensor);
  return doubles(dims, {values.begin() + begin * width, values.begin() + (begin + count) * width});
}

LossInput shard_of(const LossInput& input, int64_t begin, int64_t count) {
  LossInput shard = input;
  shard.student = rows_of(input.student, begin, count);
  shard.teacher = rows_of(input.teacher, begin, count);
  shard.labels = input.labels.subspan(static_cast<size_t>(begin), static_cast<size_t>(count));
  return shard;
}

Tensor to_floats(const Tensor& tensor) {
  return Tensor::from<float>(tensor.dims(), tensor.to_float());
}

}  // namespace

TEST_CASE("every loss has a name of its own and a summary", "[distill]") {
  std::set<std::string_view> names;
  for (const LossRow& row : loss_table()) {
    CHECK(names.insert(row.name).second);
    CHECK_FALSE(row.summary.empty());
  }
}

TEST_CASE("losses and gradients of shards add up to the batch's", "[distill]") {
  const std::vector<Label> labels = plain_labels({0, 5, 2, 1});
  for (const LossRow& row : loss_table()) {
    INFO(row.name);
    const LossTerm term = term_of(row);
    // Relations hold within a shard, so their sum depends on the cut.
    if (row.name.starts_with("relation")) continue;
    const LossInput input = example(term, labels);
    const LossResult whole = term.evaluate(input);
    const LossResult first = term.evaluate(shard_of(input, 0, 3));
    const LossResult second = term.evaluate(shard_of(input, 3, 1));
    CHECK_THAT(first.loss + second.loss, WithinAbs(whole.loss, 1e-14));
    CHECK(whole.loss > 0);
    std::vector<double> rows = values_of(first.student);
    for (const double value : values_of(second.student)) rows.push_back(value);
    CHECK((rows == values_of(whole.student)));
    for (size_t i = 0; i < whole.weights.size(); ++i) {
      const std::vector<double> wanted = values_of(whole.weights[i]);
      for (size_t at = 0; at < wanted.size(); ++at) {
        CHECK_THAT(values_of(first.weights[i])[at] + values_of(second.weights[i])[at],
                   WithinAbs(wanted[at], 1e-14));
      }
    }
  }
}

TEST_CASE("relations weigh by the shard's part of the batch", "[distill]") {
  for (const LossRow& row : loss_table()) {
    if (!row.name.starts_with("relation")) continue;
    const LossTerm term = term_of(row);
    LossInput input = example(term, {});
    const double alone = term.evaluate(input).loss;
    input.batch = 16;
    CHECK_THAT(term.evaluate(input).loss, WithinAbs(alone / 4, 1e-15));
  }
}

TEST_CASE("float tensors give float gradients, rounded from the same doubles", "[distill]") {
  const std::vector<Label> labels = plain_labels({0, 5, 2, 1});
  for (const LossRow& row : loss_table()) {
    INFO(row.name);
    const LossTerm term = term_of(row);
    LossInput narrow = example(term, labels);
    narrow.student = to_floats(narrow.student);
    narrow.teacher = to_floats(narrow.teacher);
    for (Tensor& weight : narrow.weights) weight = to_floats(weight);
    LossInput wide = narrow;
    const auto widen = [](const Tensor& tensor) {
      const std::vector<float> values = tensor.to_float();
      return doubles(tensor.dims(), {values.begin(), values.end()});
    };
    wide.student = widen(narrow.student);
    wide.teacher = widen(narrow.teacher);
    for (Tensor& weight : wide.weights) weight = widen(weight);
    const LossResult result = term.evaluate(narrow);
    const LossResult reference = term.evaluate(wide);
    CHECK(result.loss == reference.loss);
    CHECK((result.student.as<float>().size() == narrow.student.as<float>().size()));
    CHECK((result.student.to_float() == reference.student.to_float()));
  }
}

TEST_CASE("the gradient of every loss in the table is that of its value", "[distill]") {
  const std::vector<Label> labels = plain_labels({0, 5, 2, 1});
  for (const LossRow& row : loss_table()) {
    INFO(row.name);
    const LossTerm term = term_of(row);
    const LossInput input = example(term, labels);
    CHECK(student_error(term.evaluate, input) < kGradientTolerance);
    for (size_t i = 0; i < input.weights.size(); ++i) {
      CHECK(weight_error(term.evaluate, input, i) < kGradientTolerance);
    }
  }
}
