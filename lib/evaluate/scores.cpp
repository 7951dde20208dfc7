#include "lib/evaluate/scores.h"

#include <algorithm>
#include <cmath>

#include "lib/base/error.h"
namespace limbeck {
namespace {

constexpr double kSumTolerance = 0.05;
constexpr double kLowestProbability = 1e-12;

std::vector<double> log_softmax(std::span<const float> row) {
  const double highest = static_cast<double>(*std::max_element(row.begin(), row.end()));
  double sum = 0;
  for (const float score : row) sum += std::exp(static_cast<double>(score) - highest);
  const double shift = highest + std::log(sum);
  std::vector<double> result;
  result.reserve(row.size());
  for (const float score : row) result.push_back(static_cast<double>(score) - shift);
  return result;
}

double sum_of(std::span<const float> row) {
  double sum = 0;
  for (const float score : row) sum += static_cast<double>(score);
  return sum;
}

}  // namespace

std::optional<size_t> find_scores(std::span<const Tensor> outputs, int64_t rows) {
  for (size_t i = 0; i < outputs.size(); ++i) {
    const Tensor& output = outputs[i];
    if (output.type() != DataType::kFloat || (output.rank() != 2 && output.rank() != 4)) continue;
    // A convolution as the last layer leaves [samples, classes, 1, 1].
    const auto rest = output.dims().begin() + 2;
    if (std::any_of(rest, output.dims().end(), [](int64_t dim) { return dim != 1; })) continue;
    if (output.dim(0) == rows && output.dim(1) > 1) return i;
  }
  return std::nullopt;
}

int64_t top_class(std::span<const float> row) {
  return std::max_element(row.begin(), row.end()) - row.begin();
}

bool in_top(std::span<const float> row, int64_t label, int64_t limit) {
  const auto own = static_cast<size_t>(label);
  int64_t before = 0;
  for (size_t i = 0; i < row.size(); ++i) {
    if (row[i] > row[own] || (row[i] == row[own] && i < own)) ++before;
  }
  return before < limit;
}

void check_folders(int64_t folders, int64_t scores) {
  if (folders == 0 || folders == scores) return;
  throw_error(Category::kData, "labels",
              "folders are numbered in alphabetical order, so there must be one for each of the " +
                  std::to_string(scores) + " class scores of the model",
              std::to_string(folders) + " folders",
              "list the classes in the model's order by \"classes\" in the data set's description, "
              "or ignore the folders by \"labels\": false");
}

bool looks_like_probabilities(std::span<const float> row) {
  if (std::any_of(row.begin(), row.end(), [](float score) { return score < 0; })) return false;
  return std::fabs(sum_of(row) - 1.0) <= kSumTolerance;
}

std::vector<double> log_probabilities(std::span<const float> row, ScoreKind kind) {
  if (kind == ScoreKind::kLogits) return log_softmax(row);
  const double sum = sum_of(row);
  std::vector<double> result;
  result.reserve(row.size());
  for (const float score : row) {
    result.push_back(std::log(std::max(static_cast<double>(score) / sum, kLowestProbability)));
  }
  return result;
}

double kl_divergence(std::span<const double> reference, std::span<const double> model) {
  double sum = 0;
  for (size_t i = 0; i < reference.size(); ++i) {
    sum += std::exp(reference[i]) * (reference[i] - model[i]);
  }
  return std::max(sum, 0.0);  // rounding may leave -1e-17 for equal rows
}

}  // namespace limbeck
