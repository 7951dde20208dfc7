// A fixed-size summary of every value that a tensor took: exact extremes and a histogram on a
// dyadic grid.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace limbeck {

/// Histogram bins have the width 2^exponent and start at multiples of it: bin i (0 <= i < 2 *
/// kHalfBins) counts values in
/// [(i - kHalfBins) * width, (i - kHalfBins + 1) * width). The exponent is the smallest one at
/// which every value fits, so the sketch of a set of values depends neither on their order nor on
/// how they were cut into batches: two sketches merge by joining pairs of bins of the finer one
/// (exact, associative, commutative). The moving average is the exception by definition: it follows
/// the samples in the order of add() and append().
class Sketch {
 public:
  static constexpr int64_t kHalfBins = 4096;
  /// Weight of a new sample in the moving average of per-sample extremes (ONNX Runtime's default).
  static constexpr double kAveraging = 0.01;

  /// Adds the values of one sample. Returns false, changing nothing, when a value is NaN or
  /// infinite.
  bool add(std::span<const float> sample);
  /// Appends a sketch of later samples.
  void append(const Sketch& later);

  int64_t count() const { return count_; }
  float min() const { return min_; }
  float max() const { return max_; }
  float average_min() const;
  float average_max() const;
  double bin_width() const;
  int exponent() const { return exponent_; }
  /// Counts of all 2 * kHalfBins bins; empty before the first value.
  const std::vector<uint64_t>& bins() const { return bins_; }
  /// Lower edge of bin i.
  double edge(int64_t i) const { return static_cast<double>(i - kHalfBins) * bin_width(); }
  /// Extremes of each sample, in order.
  const std::vector<float>& sample_minima() const { return minima_; }
  const std::vector<float>& sample_maxima() const { return maxima_; }

  /// Rebuilds a stored sketch; `bins` has 2 * kHalfBins entries.
  static Sketch restore(int exponent, float min, float max, double average_min, double average_max,
                        std::vector<uint64_t> bins);
  bool operator==(const Sketch&) const = default;

 private:
  void widen(int exponent);
  void count_values(std::span<const float> sample);
  void follow(float low, float high);

  int exponent_ = 0;
  int64_t count_ = 0;
  float min_ = 0;
  float max_ = 0;
  double average_min_ = 0;
  double average_max_ = 0;
  bool averaging_ = false;
  /// Per-sample extremes of a partial sketch: what append() folds into the moving average. Emptied
  /// when folded.
  std::vector<float> minima_;
  std::vector<float> maxima_;
  std::vector<uint64_t> bins_;
};

}  // namespace limbeck
