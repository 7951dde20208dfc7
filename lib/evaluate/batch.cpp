// Work on one micro-batch, done on the worker threads.
#include <string>

#include "lib/base/error.h"
#include "lib/evaluate/totals.h"
#include "lib/evaluate/values.h"

namespace limbeck {
namespace {

constexpr std::array kKinds = {ScoreKind::kLogits, ScoreKind::kProbabilities};

std::span<const float> score_row(const Tensor& scores, size_t row) {
  const auto classes = static_cast<size_t>(scores.dim(1));
  return scores.as<float>().subspan(row * classes, classes);
}

bool all_probabilities(const Tensor& scores) {
  for (size_t row = 0; row < static_cast<size_t>(scores.dim(0)); ++row) {
    if (!looks_like_probabilities(score_row(scores, row))) return false;
  }
  return true;
}

void check_label(int64_t label, int64_t classes, int64_t sample) {
  if (label >= 0 && label < classes) return;
  throw_error(Category::kData, "sample " + std::to_string(sample),
              "a label must be one of the " + std::to_string(classes) + " classes of the model",
              "label " + std::to_string(label),
              "check the labels and the class order of the data set, or evaluate a model with as "
              "many classes");
}

SampleScore score_sample(std::span<const float> row, int64_t index, int64_t label,
                         bool probabilities) {
  SampleScore sample;
  sample.index = index;
  sample.correct = top_class(row) == label;
  sample.in_top5 = in_top(row, label, 5);
  for (const ScoreKind kind : kKinds) {
    // Once a row is no probability, the whole data set counts as logits.
    if (kind == ScoreKind::kProbabilities && !probabilities) continue;
    const auto logs = log_probabilities(row, kind);
    sample.loss[static_cast<size_t>(kind)] = -logs[static_cast<size_t>(label)];
  }
  return sample;
}

/// Rows of one output: samples along its first axis, or one row where it has no batch axis.
size_t rows_of(const Tensor& output, size_t samples) {
  return output.rank() > 0 && output.dim(0) == static_cast<int64_t>(samples) ? samples : 1;
}

/// Sum over the samples of the cosine of their rows.
double cosine_sum(const Tensor& reference, const Tensor& model, size_t samples) {
  const FloatValues r(reference);
  const FloatValues y(model);
  const size_t rows = rows_of(reference, samples);
  const size_t length = r.values().size() / rows;
  double sum = 0;
  for (size_t row = 0; row < rows; ++row) {
    const Distance d = distance(r.values().subspan(row * length, length),
                                y.values().subspan(row * length, length));
    sum += cosine_of(d.dot, d.signal, d.model_square);
  }
  return rows == samples ? sum : sum * static_cast<double>(samples);
}

void check_shapes(const Tensor& model, const Tensor& reference, const std::string& name) {
  if (model.dims() == reference.dims()) return;
  throw_error(
      Category::kData, "output '" + name + "'",
      "the model and its reference must give the same shape, here " + dims_text(reference.dims()),
      dims_text(model.dims()), "compare the model with the one it was made from");
}

void compare_scores(const Tensor& model, const Tensor& reference, BatchDistance* result) {
  const bool model_probable = all_probabilities(model);
  const bool reference_probable = all_probabilities(reference);
  for (size_t row = 0; row < static_cast<size_t>(model.dim(0)); ++row) {
    const auto y = score_row(model, row);
    const auto r = score_row(reference, row);
    if (top_class(y) == top_class(r)) ++result->agreeing;
    for (const ScoreKind rk : kKinds) {
      if (rk == ScoreKind::kProbabilities && !reference_probable) continue;
      const auto reference_logs = log_probabilities(r, rk);
      for (const ScoreKind mk : kKinds) {
        if (mk == ScoreKind::kProbabilities && !model_probable) continue;
        result->kl[static_cast<size_t>(rk)][static_cast<size_t>(mk)] +=
            kl_divergence(reference_logs, log_probabilities(y, mk));
      }
    }
  }
}

}  // namespace

BatchScores score_batch(const Batch& batch, std::span<const Tensor> outputs) {
  BatchScores result;
  result.output = find_scores(outputs, static_cast<int64_t>(batch.indices.size()));
  if (!result.output) return result;
  const Tensor& scores = outputs[*result.output];
  result.classes = scores.dim(1);
  result.probabilities = all_probabilities(scores);
  for (size_t row = 0; row < batch.labels.size(); ++row) {
    check_label(batch.labels[row], result.classes, batch.indices[row]);
    result.labelled.push_back(score_sample(score_row(scores, row), batch.indices[row],
                                           batch.labels[row], result.probabilities));
  }
  return result;
}

BatchDistance compare_batch(const Batch& batch, std::span<const Tensor> model,
                            std::span<const Tensor> reference,
                            const std::vector<std::string>& names) {
  BatchDistance result;
  for (size_t i = 0; i < model.size(); ++i) {
    check_shapes(model[i], reference[i], names[i]);
    // Codes, indices and truth values are no amplitudes: a power of them says nothing.
    if (!holds_fractions(model[i].type()) || !holds_fractions(reference[i].type())) continue;
    if (model[i].count() == 0) continue;
    if (result.numbers == 0)
      result.cosine = cosine_sum(reference[i], model[i], batch.indices.size());
    result.numbers += model[i].count();
    const Distance d = distance(FloatValues(reference[i]).values(), FloatValues(model[i]).values());
    result.signal += d.signal;
    result.noise += d.noise;
  }
  const auto scores = find_scores(model, static_cast<int64_t>(batch.indices.size()));
  // The shapes agree, so only an integer output of the reference can stand in the way.
  if (scores && reference[*scores].type() == DataType::kFloat) {
    compare_scores(model[*scores], reference[*scores], &result);
  }
  return result;
}

}  // namespace limbeck
