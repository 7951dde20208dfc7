// A fixed-size summary of every value that a tensor took: exact extremes, a histogram on a dyadic
// grid, and a moving average of each sample's extremes.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "calibration/sketch_loops.h"

namespace limbeck {

/// Histogram bins have the width 2^exponent and start at multiples of it: bin i (0 <= i < 2 *
/// kHalfBins) counts values in
/// [(i - kHalfBins) * width, (i - kHalfBins + 1) * width). The exponent is the smallest one at
/// which every value fits, so the histogram of a set of values depends neither on their order nor
/// on how they were cut into batches: two sketches merge by joining pairs of bins of the finer one
/// (exact, associative, commutative). The moving average is the exception by definition: it follows
/// the samples in the order of follow().
class Sketch {
 public:
  static constexpr int64_t kHalfBins = 4096;
  static constexpr int kSmallestExponent = -126;
  static constexpr int kLargestExponent = 116;
  /// Weight of a new sample in the moving average of per-sample extremes (ONNX Runtime's default).
  static constexpr double kAveraging = 0.01;

  /// Adds the values of one sample: record() and follow(). Returns false, changing nothing, when a
  /// value is NaN or infinite.
  bool add(std::span<const float> sample);
  /// Adds finite values of any number of samples, whose extremes are known, to everything but the
  /// moving average.
  void record(std::span<const float> values, const Extremes& extremes);
  /// Adds one sample's extremes to the moving average only.
  void follow(const Extremes& extremes);
  /// Adds everything that `other` recorded; the moving average stays.
  void merge(const Sketch& other);

  int64_t count() const { return count_; }
  float min() const { return min_; }
  float max() const { return max_; }
  float average_min() const { return static_cast<float>(average_min_); }
  float average_max() const { return static_cast<float>(average_max_); }
  /// The moving averages as they are kept and stored.
  double exact_average_min() const { return average_min_; }
  double exact_average_max() const { return average_max_; }
  double bin_width() const;
  int exponent() const { return exponent_; }
  /// Counts of all 2 * kHalfBins bins; empty before the first value.
  const std::vector<uint64_t>& bins() const { return bins_; }
  /// Lower edge of bin i.
  double edge(int64_t i) const { return static_cast<double>(i - kHalfBins) * bin_width(); }

  /// Rebuilds a stored sketch; `bins` has 2 * kHalfBins entries, of which some are not zero.
  static Sketch restore(int exponent, float min, float max, double average_min, double average_max,
                        std::vector<uint64_t> bins);
  bool operator==(const Sketch&) const = default;

 private:
  void reach(float low, float high, int exponent);
  void widen(int exponent);
  void count_few(std::span<const float> values);
  void count_many(std::span<const float> values, const Extremes& extremes);

  int exponent_ = 0;
  int64_t count_ = 0;
  float min_ = 0;
  float max_ = 0;
  double average_min_ = 0;
  double average_max_ = 0;
  bool averaging_ = false;
  std::vector<uint64_t> bins_;
};

}  // namespace limbeck
