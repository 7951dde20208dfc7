#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "calibration/observer.h"

namespace limbeck {
namespace {

/// Kullback-Leibler divergences between P, the histogram of magnitudes clipped after some bins (the
/// tail added to the last of them), and Q, the unclipped bins cut into equal runs, each run's mass
/// spread evenly over the bins of it that P fills. Sums over bins are differences of running sums:
/// one threshold costs one logarithm a run, not one a bin.
class Divergences {
 public:
  explicit Divergences(const std::vector<double>& magnitudes) : magnitudes_(magnitudes) {
    mass_.resize(magnitudes.size() + 1);
    filled_.resize(magnitudes.size() + 1);
    weighted_.resize(magnitudes.size() + 1);
    for (size_t i = 0; i < magnitudes.size(); ++i) {
      const double bin = magnitudes[i];
      mass_[i + 1] = mass_[i] + bin;
      filled_[i + 1] = filled_[i] + (bin > 0 ? 1 : 0);
      weighted_[i + 1] = weighted_[i] + (bin > 0 ? bin * std::log(bin) : 0);
    }
  }

  /// KL(P || Q) when `kept` bins stay and are cut into `levels` runs.
  double at(size_t kept, size_t levels) const {
    const double total = mass_.back();
    const double inside = mass_[kept];
    if (inside <= 0) return std::numeric_limits<double>::infinity();
    const double last = magnitudes_[kept - 1];
    const double tail = total - inside;
    const double clipped = last + tail;
    const double entropy =
        weighted_[kept - 1] + (clipped > 0 ? clipped * std::log(clipped) : 0);  // sum of p log p
    double cross = 0;                                                           // sum of p log q
    for (size_t level = 0; level < levels; ++level) {
      const size_t start = level * kept / levels;
      const size_t end = (level + 1) * kept / levels;
      const bool final = level + 1 == levels;
      const double mass = mass_[end] - mass_[start];
      const double p = mass + (final ? tail : 0);
      if (p <= 0) continue;
      const double filled =
          filled_[end] - filled_[start] + (final && tail > 0 && last <= 0 ? 1 : 0);
      cross += p * (mass > 0 ? std::log(mass / filled) : std::log(kNothing * inside));
    }
    return (entropy - cross) / total + std::log(inside / total);
  }

 private:
  /// Stands for a Q of zero where P is not, which would cost infinitely much.
  static constexpr double kNothing = 1e-12;

  const std::vector<double>& magnitudes_;
  std::vector<double> mass_;
  std::vector<double> filled_;
  std::vector<double> weighted_;
};

/// A value that stands out by repeating exactly, such as the zeros that Relu leaves or the constant
/// background of pictures, is one code under any threshold. Spread over the run it falls into, as
/// if it were many values, it would cost more than clipping everything above it: what stands out
/// above both filled neighbours is left out.
std::vector<double> without_atoms(const std::vector<double>& histogram) {
  std::vector<size_t> filled;
  for (size_t i = 0; i < histogram.size(); ++i) {
    if (histogram[i] > 0) filled.push_back(i);
  }
  std::vector<double> result = histogram;
  for (size_t k = 0; k < filled.size() && filled.size() > 1; ++k) {
    const double before = k > 0 ? histogram[filled[k - 1]] : 0;
    const double after = k + 1 < filled.size() ? histogram[filled[k + 1]] : 0;
    result[filled[k]] = std::min(histogram[filled[k]], std::max(before, after));
  }
  return result;
}

}  // namespace

Range observe_entropy(const Sketch& sketch, const ObserverOptions& options) {
  constexpr size_t kHalf = Sketch::kHalfBins;
  const auto& bins = sketch.bins();
  // Codes for magnitudes: half of them belong to the other sign, where there is one.
  const bool one_sided = !options.symmetric && (sketch.min() >= 0 || sketch.max() <= 0);
  const size_t levels = size_t{1} << (std::min(options.bits, 10) - (one_sided ? 0 : 1));
  std::vector<double> magnitudes(kHalf);
  for (size_t i = 0; i < kHalf; ++i)
    magnitudes[i] = static_cast<double>(bins[kHalf + i] + bins[kHalf - 1 - i]);
  magnitudes = without_atoms(magnitudes);
  size_t used = kHalf;
  while (used > levels && magnitudes[used - 1] == 0) --used;
  const Divergences divergences(magnitudes);
  double least = std::numeric_limits<double>::infinity();
  size_t best = used;
  for (size_t kept = levels; kept <= used; ++kept) {
    const double value = divergences.at(kept, levels);
    if (value >= least) continue;
    least = value;
    best = kept;
  }
  const auto threshold = static_cast<float>(static_cast<double>(best) * sketch.bin_width());
  return {std::max(sketch.min(), -threshold), std::min(sketch.max(), threshold)};
}

}  // namespace limbeck
