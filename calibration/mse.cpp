#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "calibration/observer.h"

namespace limbeck {
namespace {

/// Running sums over the bins, each value taken at the middle of its bin: the error of a range
/// costs O(1).
class ErrorModel {
 public:
  ErrorModel(const Sketch& sketch, int bits) : sketch_(sketch), codes_(std::ldexp(1.0, bits) - 1) {
    const auto& bins = sketch.bins();
    sums_.resize(bins.size() + 1);
    for (size_t i = 0; i < bins.size(); ++i) {
      const double middle = sketch.edge(static_cast<int64_t>(i)) + sketch.bin_width() / 2;
      const auto count = static_cast<double>(bins[i]);
      sums_[i + 1] = {sums_[i].count + count, sums_[i].first + count * middle,
                      sums_[i].second + count * middle * middle};
    }
  }

  /// Sum of squared errors when values are rounded in [low, high] and clipped outside.
  double error(double low, double high) const {
    const double step = (high - low) / codes_;
    const size_t first = position(low);
    const size_t last = position(high);
    const double inside = sums_[last].count - sums_[first].count - zeros(low, high);
    return inside * step * step / 12.0 + clipping(0, first, low) +
           clipping(last, sums_.size() - 1, high);
  }

 private:
  struct Sums {
    double count = 0;
    double first = 0;
    double second = 0;
  };

  size_t position(double value) const {
    const double index =
        std::floor(value / sketch_.bin_width() + 0.5) + static_cast<double>(Sketch::kHalfBins);
    return static_cast<size_t>(std::clamp(index, 0.0, static_cast<double>(sums_.size() - 1)));
  }
  /// Zero has a code of its own: the bin that starts at zero holds Relu's zeros, which cost
  /// nothing.
  double zeros(double low, double high) const {
    return low <= 0 && high > 0 ? static_cast<double>(sketch_.bins()[Sketch::kHalfBins]) : 0.0;
  }
  double clipping(size_t from, size_t to, double bound) const {
    const double count = sums_[to].count - sums_[from].count;
    const double first = sums_[to].first - sums_[from].first;
    const double second = sums_[to].second - sums_[from].second;
    return std::max(0.0, second - 2 * bound * first + bound * bound * count);
  }

  const Sketch& sketch_;
  double codes_;
  std::vector<Sums> sums_;
};

constexpr int kCandidates =
    128;  ///< clipping ratios tried for each end: 1/128 to 128/128 of the extreme

}  // namespace

Range observe_mse(const Sketch& sketch, const ObserverOptions& options) {
  const double lowest = std::min(0.0, static_cast<double>(sketch.min()));
  const double highest = std::max(0.0, static_cast<double>(sketch.max()));
  constexpr int kFinestBits =
      10;  // beyond, a step is narrower than a bin and nothing is worth clipping
  if (options.bits > kFinestBits || lowest == highest) return {sketch.min(), sketch.max()};
  const ErrorModel model(sketch, options.bits);
  std::pair<double, double> best = {lowest, highest};
  if (options.symmetric) best = {-std::max(-lowest, highest), std::max(-lowest, highest)};
  const std::pair<double, double> widest = best;
  double least = model.error(best.first, best.second);
  for (int i = kCandidates; i >= 1; --i) {
    for (int j = kCandidates; j >= 1; --j) {
      if (options.symmetric && i != j) continue;
      if (widest.first == 0 && i < kCandidates) continue;
      if (widest.second == 0 && j < kCandidates) continue;
      const double low = widest.first * i / kCandidates;
      const double high = widest.second * j / kCandidates;
      const double error = model.error(low, high);
      if (error >= least) continue;
      least = error;
      best = {low, high};
    }
  }
  return {static_cast<float>(best.first), static_cast<float>(best.second)};
}

}  // namespace limbeck
