#include "lib/evaluate/totals.h"

#include <algorithm>
#include <cmath>

#include "lib/evaluate/statistics.h"

namespace limbeck {
namespace {

constexpr double kLargestSqnr = 200.0;
constexpr int64_t kFewestClassesForTop5 = 6;

double percent(int64_t hits, int64_t trials) {
  return 100.0 * static_cast<double>(hits) / static_cast<double>(trials);
}

}  // namespace

double sqnr_db(double signal, double noise) {
  if (noise <= 0) return kLargestSqnr;
  if (signal <= 0) return -kLargestSqnr;
  return std::clamp(10.0 * (std::log10(signal) - std::log10(noise)), -kLargestSqnr, kLargestSqnr);
}

double cosine_of(double dot, double reference_square, double model_square) {
  if (reference_square <= 0 && model_square <= 0) return 1.0;
  if (reference_square <= 0 || model_square <= 0) return 0.0;
  return std::clamp(dot / (std::sqrt(reference_square) * std::sqrt(model_square)), -1.0, 1.0);
}

Interval in_percent(const Interval& interval) {
  return {100.0 * interval.low, 100.0 * interval.high};
}

void ScoreTotals::add(BatchScores& scores, int64_t samples) {
  if (samples_ == 0) {
    output_ = scores.output;
    classes_ = scores.classes;
  }
  samples_ += samples;
  consistent_ = consistent_ && scores.output == output_ && scores.classes == classes_;
  probabilities_ = probabilities_ && scores.probabilities;
  labelled_.insert(labelled_.end(), scores.labelled.begin(), scores.labelled.end());
}

ScoreKind ScoreTotals::kind() const {
  return probabilities_ ? ScoreKind::kProbabilities : ScoreKind::kLogits;
}

Metrics ScoreTotals::metrics() const {
  Metrics metrics;
  metrics.samples = samples_;
  if (!has_scores() || labelled_.empty()) return metrics;
  const auto count = static_cast<int64_t>(labelled_.size());
  int64_t hits = 0;
  int64_t hits5 = 0;
  double loss = 0;
  for (const SampleScore& sample : labelled_) {
    hits += sample.correct ? 1 : 0;
    hits5 += sample.in_top5 ? 1 : 0;
    loss += sample.loss[static_cast<size_t>(kind())];
  }
  metrics.top1 = percent(hits, count);
  if (classes_ >= kFewestClassesForTop5) metrics.top5 = percent(hits5, count);
  metrics.loss = loss / static_cast<double>(count);
  metrics.top1_interval = in_percent(wilson_interval(hits, count));
  return metrics;
}

std::vector<SampleRecord> ScoreTotals::records() const {
  std::vector<SampleRecord> records;
  if (!has_scores()) return records;
  records.reserve(labelled_.size());
  for (const SampleScore& sample : labelled_) {
    records.push_back({sample.index, sample.correct, sample.loss[static_cast<size_t>(kind())]});
  }
  return records;
}

void DistanceTotals::add(const BatchDistance& distance, int64_t samples) {
  samples_ += samples;
  sum_.numbers += distance.numbers;
  sum_.signal += distance.signal;
  sum_.noise += distance.noise;
  sum_.cosine += distance.cosine;
  sum_.agreeing += distance.agreeing;
  for (size_t r = 0; r < 2; ++r) {
    for (size_t m = 0; m < 2; ++m) sum_.kl[r][m] += distance.kl[r][m];
  }
}

void DistanceTotals::fill(const ScoreTotals& model, const ScoreTotals& reference,
                          Metrics* metrics) const {
  if (sum_.numbers > 0) {
    metrics->sqnr_db = limbeck::sqnr_db(sum_.signal, sum_.noise);
    metrics->cosine = sum_.cosine / static_cast<double>(samples_);
  }
  if (!model.has_scores() || !reference.has_scores()) return;
  metrics->agreement = percent(sum_.agreeing, samples_);
  metrics->agreement_interval = in_percent(wilson_interval(sum_.agreeing, samples_));
  const auto r = static_cast<size_t>(reference.kind());
  const auto m = static_cast<size_t>(model.kind());
  metrics->kl = sum_.kl[r][m] / static_cast<double>(samples_);
}

}  // namespace limbeck
