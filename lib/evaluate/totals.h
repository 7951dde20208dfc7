// Partial results of one micro-batch and the totals they merge into. Internal to lib/evaluate.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "lib/data/dataset.h"
#include "lib/evaluate/evaluate.h"
#include "lib/evaluate/scores.h"

namespace limbeck {

/// Whether scores are logits or probabilities is only known after the last sample, so figures that
/// depend on it are kept for both readings, indexed by ScoreKind.
using PerKind = std::array<double, 2>;

struct SampleScore {
  int64_t index = 0;
  bool correct = false;
  bool in_top5 = false;
  PerKind loss = {0, 0};
};

/// What one model answers on one micro-batch.
struct BatchScores {
  std::optional<size_t> output;  ///< which output holds class scores
  int64_t classes = 0;
  bool probabilities = true;  ///< no row speaks against it
  std::vector<SampleScore> labelled;
};

/// Raises kData naming the sample when a label is no class of the scores.
BatchScores score_batch(const Batch& batch, std::span<const Tensor> outputs);

/// How far the model is from the reference on one micro-batch.
struct BatchDistance {
  int64_t numbers = 0;  ///< elements of float outputs
  double signal = 0;
  double noise = 0;
  double cosine = 0;
  int64_t agreeing = 0;
  std::array<PerKind, 2> kl = {};  ///< [reference][model]
};

/// Raises kData when shapes differ. `names` are those of the model's outputs.
BatchDistance compare_batch(const Batch& batch, std::span<const Tensor> model,
                            std::span<const Tensor> reference,
                            const std::vector<std::string>& names);

/// Merges the batches of one model, in data order.
class ScoreTotals {
 public:
  void add(BatchScores& scores, int64_t samples);
  ScoreKind kind() const;
  /// Every batch had class scores, in the same output and of the same number.
  bool has_scores() const { return samples_ > 0 && consistent_ && output_.has_value(); }
  /// The output that has_scores() speaks of; it is true.
  size_t scores_output() const { return *output_; }
  /// How many class scores has_scores() speaks of.
  int64_t classes() const { return classes_; }
  /// samples, top1, top5, loss, top1_interval.
  Metrics metrics() const;
  std::vector<SampleRecord> records() const;

 private:
  int64_t samples_ = 0;
  std::optional<size_t> output_;
  int64_t classes_ = 0;
  bool consistent_ = true;
  bool probabilities_ = true;
  std::vector<SampleScore> labelled_;
};

/// Merges the distances, in data order.
class DistanceTotals {
 public:
  void add(const BatchDistance& distance, int64_t samples);
  /// Sets agreement, sqnr_db, cosine and kl.
  void fill(const ScoreTotals& model, const ScoreTotals& reference, Metrics* metrics) const;

 private:
  int64_t samples_ = 0;
  BatchDistance sum_;
};

/// 10 log10(signal / noise), held to [-200, 200] so that it stays a number.
double sqnr_db(double signal, double noise);
/// dot / (|r| |y|) from the squared norms; one for two zero vectors, zero for a single one.
double cosine_of(double dot, double reference_square, double model_square);
/// `interval` of fractions in percent.
Interval in_percent(const Interval& interval);

}  // namespace limbeck
