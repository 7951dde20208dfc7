#include <algorithm>
#include <cmath>
#include <vector>

#include "calibration/observer.h"

namespace limbeck {
namespace {

/// KL(P || Q): P is the distribution clipped after `kept` bins (the tail added to the last), Q the
/// same cut into `levels` equal runs whose mass is spread over their non-empty bins.
double divergence(const std::vector<double>& magnitudes, size_t kept, size_t levels, double tail,
                  double total) {
  double result = 0;
  double quantized_total = 0;
  for (size_t i = 0; i < kept; ++i) quantized_total += magnitudes[i];
  for (size_t level = 0; level < levels; ++level) {
    const size_t start = level * kept / levels;
    const size_t end = (level + 1) * kept / levels;
    double mass = 0;
    double filled = 0;
    for (size_t i = start; i < end; ++i) {
      mass += magnitudes[i];
      filled += magnitudes[i] > 0 ? 1 : 0;
    }
    for (size_t i = start; i < end; ++i) {
      const double p = (magnitudes[i] + (i + 1 == kept ? tail : 0)) / total;
      if (p <= 0) continue;
      const double q = magnitudes[i] > 0 ? mass / filled / quantized_total : 1e-12;
      result += p * std::log(p / q);
    }
  }
  return result;
}

}  // namespace

Range observe_entropy(const Sketch& sketch, const ObserverOptions& options) {
  constexpr size_t kHalf = Sketch::kHalfBins;
  const auto& bins = sketch.bins();
  const size_t levels = size_t{1} << (std::min(options.bits, 10) - 1);
  std::vector<double> magnitudes(kHalf);
  for (size_t i = 0; i < kHalf; ++i)
    magnitudes[i] = static_cast<double>(bins[kHalf + i] + bins[kHalf - 1 - i]);
  size_t used = kHalf;
  while (used > levels && magnitudes[used - 1] == 0) --used;
  const double total = static_cast<double>(sketch.count());
  double inside = 0;
  for (size_t i = 0; i < std::min(used, levels); ++i) inside += magnitudes[i];
  double least = INFINITY;
  size_t best = used;
  const size_t stride = std::max<size_t>(1, used / 1024);
  for (size_t kept = levels; kept <= used; kept += stride) {
    const double value = divergence(magnitudes, kept, levels, total - inside, total);
    if (value < least) {
      least = value;
      best = kept;
    }
    for (size_t i = kept; i < std::min(kept + stride, used); ++i) inside += magnitudes[i];
  }
  const auto threshold = static_cast<float>(static_cast<double>(best) * sketch.bin_width());
  return {std::max(sketch.min(), -threshold), std::min(sketch.max(), threshold)};
}

}  // namespace limbeck
