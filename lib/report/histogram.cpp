#include "lib/report/histogram.h"

#include <algorithm>

namespace limbeck {
namespace {

bool occupied(uint64_t count) { return count > 0; }

}  // namespace

CoarseHistogram coarse_histogram(const Sketch& sketch, int64_t bins) {
  const std::vector<uint64_t>& fine = sketch.bins();
  const auto first = std::find_if(fine.begin(), fine.end(), occupied) - fine.begin();
  const auto last = fine.rend() - std::find_if(fine.rbegin(), fine.rend(), occupied);
  const int64_t joined = std::max<int64_t>(1, (last - first + bins - 1) / bins);
  CoarseHistogram result;
  result.low = sketch.edge(first);
  result.bin_width = sketch.bin_width() * static_cast<double>(joined);
  result.counts.assign(static_cast<size_t>(bins), 0);
  for (int64_t i = first; i < last; ++i) {
    result.counts[static_cast<size_t>((i - first) / joined)] += fine[static_cast<size_t>(i)];
  }
  return result;
}

double clipped_share(const Sketch& sketch, const Range& range) {
  if (sketch.count() == 0) return 0;
  const double width = sketch.bin_width();
  double outside = 0;
  for (size_t i = 0; i < sketch.bins().size(); ++i) {
    if (sketch.bins()[i] == 0) continue;
    const double low = sketch.edge(static_cast<int64_t>(i));
    double share = 0;
    // The exact extremes tell when nothing of a cut bin is lost.
    if (range.min > sketch.min()) share += std::clamp((range.min - low) / width, 0.0, 1.0);
    if (range.max < sketch.max()) share += std::clamp((low + width - range.max) / width, 0.0, 1.0);
    outside += std::min(share, 1.0) * static_cast<double>(sketch.bins()[i]);
  }
  return outside / static_cast<double>(sketch.count());
}

}  // namespace limbeck
