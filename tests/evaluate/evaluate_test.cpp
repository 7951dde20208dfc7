#include "lib/evaluate/evaluate.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <catch2/matchers/catch_matchers_floating_point.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <cmath>
#include <limits>

#include "lib/base/error.h"
#include "lib/evaluate/evaluation_json.h"
#include "tests/support/memory_dataset.h"
#include "tests/support/model_builder.h"

using namespace limbeck;
using namespace limbeck::test;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::MessageMatches;
using Catch::Matchers::WithinAbs;

namespace {

using Rows = std::vector<std::vector<float>>;

/// The samples themselves are the class scores.
Model scores_as_they_are(int64_t batch = -1, int64_t classes = 3) {
  ModelBuilder builder(13);
  builder.input("x", {batch, classes}).output("scores");
  builder.node("Identity", {"x"}, {"scores"});
  return builder.build();
}

Model scores_plus(const std::vector<float>& shift) {
  ModelBuilder builder(13);
  builder.input("x", {-1, static_cast<int64_t>(shift.size())}).output("scores");
  builder.weight("shift", floats(shift));
  builder.node("Add", {"x", "shift"}, {"scores"});
  return builder.build();
}

Model softmax_of_scores(int64_t classes) {
  ModelBuilder builder(13);
  builder.input("x", {-1, classes}).output("scores");
  builder.node("Softmax", {"x"}, {"scores"}).with("axis", -1);
  return builder.build();
}

EvaluateOptions quietly() {
  EvaluateOptions options;
  options.quiet = true;
  options.threads = 1;
  return options;
}

Evaluation run(const Model& model, const Dataset& dataset) {
  return evaluate(model, nullptr, dataset, quietly());
}

Evaluation run(const Model& model, const Model& reference, const Dataset& dataset) {
  return evaluate(model, &reference, dataset, quietly());
}

Rows noise_rows(int64_t count, int64_t length) {
  const Tensor values = noise({count, length}, 7);
  Rows rows;
  for (int64_t row = 0; row < count; ++row) {
    const auto all =
        values.as<float>().subspan(static_cast<size_t>(row * length), static_cast<size_t>(length));
    rows.emplace_back(all.begin(), all.end());
  }
  return rows;
}

}  // namespace

TEST_CASE("top-1 is the percentage of samples whose highest score is the label", "[evaluate]") {
  const MemoryDataset data({{1, 5, 2}, {7, 0, 0}, {0, 1, 2}, {3, 9, 4}}, {1, 0, 0, 2});
  const Evaluation result = run(scores_as_they_are(), data);
  CHECK(result.metrics.samples == 4);
  CHECK(result.metrics.top1 == 50.0);
  CHECK_FALSE(result.metrics.top5.has_value());
  CHECK_FALSE(result.metrics.agreement.has_value());
  CHECK_FALSE(result.reference.has_value());
  REQUIRE(result.records.size() == 4);
  CHECK(result.records[0].correct);
  CHECK_FALSE(result.records[3].correct);
  CHECK(result.records[3].index == 3);
}

TEST_CASE("of equal scores the lowest class is the answer", "[evaluate]") {
  CHECK(run(scores_as_they_are(), MemoryDataset({{4, 4, 4}}, {0})).metrics.top1 == 100.0);
  CHECK(run(scores_as_they_are(), MemoryDataset({{4, 4, 4}}, {1})).metrics.top1 == 0.0);
}

TEST_CASE("top-5 counts labels with fewer than five classes before them", "[evaluate]") {
  const std::vector<float> falling = {9, 8, 7, 6, 5, 4};
  const Model model = scores_as_they_are(-1, 6);
  CHECK(run(model, MemoryDataset({falling, falling}, {4, 5})).metrics.top5 == 50.0);
  // Six equal scores: class 4 is the fifth, class 5 the sixth.
  CHECK(run(model, MemoryDataset({{1, 1, 1, 1, 1, 1}}, {4})).metrics.top5 == 100.0);
  CHECK(run(model, MemoryDataset({{1, 1, 1, 1, 1, 1}}, {5})).metrics.top5 == 0.0);
}

TEST_CASE("top-5 is absent below six classes", "[evaluate]") {
  const Evaluation five = run(scores_as_they_are(-1, 5), MemoryDataset({{5, 4, 3, 2, 1}}, {4}));
  CHECK(five.metrics.top1 == 0.0);
  CHECK_FALSE(five.metrics.top5.has_value());
}

TEST_CASE("the loss of logits is the cross-entropy of their softmax", "[evaluate]") {
  // softmax(ln 3, 0) = (3/4, 1/4)
  const MemoryDataset data({{std::log(3.0F), 0}, {std::log(3.0F), 0}}, {0, 1});
  const Evaluation result = run(scores_as_they_are(-1, 2), data);
  REQUIRE(result.metrics.loss.has_value());
  CHECK_THAT(result.records[0].loss, WithinAbs(-std::log(0.75), 1e-6));
  CHECK_THAT(result.records[1].loss, WithinAbs(-std::log(0.25), 1e-6));
  CHECK_THAT(*result.metrics.loss, WithinAbs(0.5 * -std::log(0.1875), 1e-6));
}

TEST_CASE("rows that sum to one are probabilities, unless one row of the set is not",
          "[evaluate]") {
  const Model model = scores_as_they_are(-1, 2);
  const Evaluation probable = run(model, MemoryDataset({{0.25F, 0.75F}, {0.5F, 0.5F}}, {0, 0}));
  CHECK_THAT(probable.records[0].loss, WithinAbs(std::log(4.0), 1e-6));
  CHECK_THAT(probable.records[1].loss, WithinAbs(std::log(2.0), 1e-6));
  const Evaluation logits = run(model, MemoryDataset({{0.25F, 0.75F}, {0.5F, 1.5F}}, {0, 0}));
  CHECK_THAT(logits.records[0].loss, WithinAbs(std::log(1.0 + std::exp(0.5)), 1e-6));
}

TEST_CASE("the kind of scores is decided over all micro-batches", "[evaluate]") {
  Rows rows(20, {0.25F, 0.75F});
  rows.back() = {-1, 2};
  const Evaluation logits =
      run(scores_as_they_are(-1, 2), MemoryDataset(rows, std::vector<int64_t>(20, 0)));
  CHECK_THAT(logits.records[0].loss, WithinAbs(std::log(1.0 + std::exp(0.5)), 1e-6));
}

TEST_CASE("SQNR and cosine follow from the sums of squares", "[evaluate]") {
  // r = (3, 4), y = (3, 3): signal 25, noise 1, cosine 21 / (5 sqrt 18)
  const Evaluation result =
      run(scores_plus({0, -1}), scores_as_they_are(-1, 2), MemoryDataset({{3, 4}}));
  CHECK_THAT(result.metrics.sqnr_db.value(), WithinAbs(10 * std::log10(25.0), 1e-9));
  CHECK_THAT(result.metrics.cosine.value(), WithinAbs(21.0 / (5.0 * std::sqrt(18.0)), 1e-9));
  CHECK(result.metrics.agreement == 0.0);  // (3, 3) is a tie that class 0 wins
  CHECK_FALSE(result.metrics.top1.has_value());
  CHECK(result.records.empty());
}

TEST_CASE("a model agrees with itself in every respect", "[evaluate]") {
  const Evaluation result =
      run(scores_as_they_are(), scores_as_they_are(), MemoryDataset({{1, 2, 3}, {3, 2, 1}}));
  CHECK(result.metrics.agreement == 100.0);
  CHECK(result.metrics.sqnr_db == 200.0);
  CHECK(result.metrics.cosine == 1.0);
  CHECK(result.metrics.kl == 0.0);
}

TEST_CASE("KL goes from the reference to the model", "[evaluate]") {
  // reference softmax(0, 0) = (1/2, 1/2), model softmax(0, ln 3) = (1/4, 3/4)
  const Evaluation result =
      run(scores_plus({0, std::log(3.0F)}), scores_as_they_are(-1, 2), MemoryDataset({{0, 0}}));
  CHECK_THAT(result.metrics.kl.value(), WithinAbs(0.5 * std::log(4.0 / 3.0), 1e-6));
}

TEST_CASE("KL compares logits with probabilities of the same distribution as equal", "[evaluate]") {
  const Evaluation result =
      run(softmax_of_scores(3), scores_as_they_are(), MemoryDataset({{1, 2, 3}, {-1, 0, 4}}));
  CHECK_THAT(result.metrics.kl.value(), WithinAbs(0.0, 1e-6));
  CHECK(result.metrics.agreement == 100.0);
}

TEST_CASE("a reference is measured on the same samples", "[evaluate]") {
  const MemoryDataset data({{1, 0, 0}, {0, 1, 0}}, {0, 1});
  const Evaluation result = run(scores_plus({9, 0, 0}), scores_as_they_are(), data);
  CHECK(result.metrics.top1 == 50.0);
  REQUIRE(result.reference.has_value());
  CHECK(result.reference->top1 == 100.0);
  CHECK(result.reference->samples == 2);
  CHECK(result.reference_records.size() == 2);
  CHECK(result.metrics.agreement == 50.0);
}

TEST_CASE("given indices are used in their order", "[evaluate]") {
  const MemoryDataset data({{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}, {0, 1, 0});
  EvaluateOptions options = quietly();
  options.indices = {2, 0};
  const Evaluation result = evaluate(scores_as_they_are(), nullptr, data, options);
  REQUIRE(result.records.size() == 2);
  CHECK(result.records[0].index == 2);
  CHECK(result.records[1].index == 0);
  CHECK(result.metrics.top1 == 50.0);
}

TEST_CASE("the number of samples limits the set", "[evaluate]") {
  EvaluateOptions options = quietly();
  options.samples = 5;
  const Evaluation result =
      evaluate(scores_as_they_are(), nullptr, MemoryDataset(noise_rows(30, 3)), options);
  CHECK(result.metrics.samples == 5);
}

TEST_CASE("outputs that are no class scores leave accuracy out", "[evaluate]") {
  const MemoryDataset data({{1}, {2}}, {0, 0});
  const Evaluation result = run(scores_as_they_are(-1, 1), scores_as_they_are(-1, 1), data);
  CHECK(result.metrics.samples == 2);
  CHECK_FALSE(result.metrics.top1.has_value());
  CHECK_FALSE(result.metrics.agreement.has_value());
  CHECK_FALSE(result.metrics.kl.has_value());
  CHECK(result.metrics.sqnr_db == 200.0);
}

TEST_CASE("NaN in an output names the output and the sample", "[evaluate]") {
  Rows rows(12, {1, 2, 3});
  rows[10][1] = std::numeric_limits<float>::quiet_NaN();
  CHECK_THROWS_MATCHES(
      run(scores_as_they_are(), MemoryDataset(rows)), Error,
      MessageMatches(ContainsSubstring("data: output 'scores' of the model, sample 10: every "
                                       "output must be finite; got NaN")));
}

TEST_CASE("infinity in the reference alone names the reference", "[evaluate]") {
  ModelBuilder builder(13);
  builder.input("x", {-1, 3}).output("scores");
  builder.weight("divisor", floats({1, 0, 1}));
  builder.node("Div", {"x", "divisor"}, {"scores"});
  const Model dividing = builder.build();
  CHECK_THROWS_MATCHES(run(scores_as_they_are(), dividing, MemoryDataset({{1, 2, 3}})), Error,
                       MessageMatches(ContainsSubstring(
                           "output 'scores' of the reference, sample 0: every output must be "
                           "finite; got infinity")));
}

TEST_CASE("a label that is no class of the model names the sample", "[evaluate]") {
  const MemoryDataset data({{1, 0, 0}, {1, 0, 0}, {1, 0, 0}}, {0, 2, 5});
  CHECK_THROWS_MATCHES(run(scores_as_they_are(), data), Error,
                       MessageMatches(ContainsSubstring(
                           "data: sample 2: a label must be one of the 3 classes of the model; "
                           "got label 5")));
}

TEST_CASE("folders that are not the model's classes name both numbers", "[evaluate]") {
  class Folders : public MemoryDataset {
   public:
    explicit Folders(int64_t count)
        : MemoryDataset({{1, 2, 3}, {3, 2, 1}}, {0, 1}), count_(count) {}
    int64_t numbered_folders() const override { return count_; }

   private:
    int64_t count_;
  };
  CHECK(run(scores_as_they_are(), Folders(3)).metrics.top1 == 0.0);
  CHECK(run(scores_as_they_are(), Folders(0)).metrics.top1 == 0.0);
  CHECK_THROWS_MATCHES(run(scores_as_they_are(), Folders(2)), Error,
                       MessageMatches(ContainsSubstring("one for each of the 3 class scores of "
                                                        "the model; got 2 folders")));
}

TEST_CASE("models with different numbers of outputs are not compared", "[evaluate]") {
  ModelBuilder builder(13);
  builder.input("x", {-1, 3}).output("scores").output("more");
  builder.node("Identity", {"x"}, {"scores"});
  builder.node("Neg", {"x"}, {"more"});
  const Model two = builder.build();
  CHECK_THROWS_MATCHES(run(two, scores_as_they_are(), MemoryDataset({{1, 2, 3}})), Error,
                       MessageMatches(ContainsSubstring("equally many outputs, here 1; got 2")));
}

TEST_CASE("models whose outputs differ in shape are not compared", "[evaluate]") {
  ModelBuilder builder(13);
  builder.input("x", {-1, 3}).output("scores");
  builder.node("Concat", {"x", "x"}, {"scores"}).with("axis", 1);
  const Model wide = builder.build();
  CHECK_THROWS_MATCHES(
      run(wide, scores_as_they_are(), MemoryDataset({{1, 2, 3}})), Error,
      MessageMatches(ContainsSubstring("output 'scores'") && ContainsSubstring("got 1x6")));
}

TEST_CASE("a model of a fixed batch size gets batches of that size", "[evaluate]") {
  const MemoryDataset data({{1, 0, 0}, {0, 1, 0}, {0, 0, 1}, {0, 0, 1}}, {0, 1, 0, 2});
  CHECK(run(scores_as_they_are(1), data).metrics.top1 == 75.0);
  CHECK(run(scores_as_they_are(2), data).metrics.top1 == 75.0);
  CHECK(run(scores_as_they_are(), scores_as_they_are(2), data).metrics.agreement == 100.0);
}

TEST_CASE("samples that do not fill the last batch of a fixed size are a data error",
          "[evaluate]") {
  const MemoryDataset data({{1, 0, 0}, {0, 1, 0}, {0, 0, 1}});
  CHECK_THROWS_MATCHES(
      run(scores_as_they_are(2), data), Error,
      MessageMatches(ContainsSubstring("model: it takes batches of exactly 2 samples, so their "
                                       "number must be a multiple of that; got 3 samples. Next: "
                                       "use 2 samples")));
}

TEST_CASE("results are the same bytes for any number of threads", "[evaluate]") {
  std::vector<int64_t> labels;
  for (int64_t i = 0; i < 203; ++i) labels.push_back(i % 10);
  const MemoryDataset data(noise_rows(203, 16), labels);
  const auto network = [](unsigned seed) {
    ModelBuilder builder(13);
    builder.input("x", {-1, 16}).output("scores").weight("w", noise({16, 10}, seed));
    builder.node("MatMul", {"x", "w"}, {"y"});
    builder.node("Relu", {"y"}, {"z"});
    builder.node("Softmax", {"z"}, {"scores"}).with("axis", -1);
    return builder.build();
  };
  const Model model = network(1);
  const Model reference = network(2);
  std::string first;
  for (const int threads : {1, 2, 4}) {
    EvaluateOptions options = quietly();
    options.threads = threads;
    options.seed = 3;
    options.layers = matching_layers(model, reference);
    const std::string text =
        evaluation_json(evaluate(model, &reference, data, options), {"m", "r", "h"}).dump();
    if (first.empty()) first = text;
    CHECK(text == first);
  }
  CHECK_THAT(first, ContainsSubstring("\"layers\""));
}
