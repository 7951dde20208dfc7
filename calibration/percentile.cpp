#include <algorithm>
#include <cmath>

#include "calibration/observer.h"

namespace limbeck {

Range observe_percentile(const Sketch& sketch, const ObserverOptions& options) {
  const double tail = static_cast<double>(sketch.count()) * (100.0 - options.percentile) / 200.0;
  // At most up to the median, where both ends meet.
  const auto cut = std::min(static_cast<uint64_t>(std::floor(tail)),
                            (static_cast<uint64_t>(sketch.count()) - 1) / 2);
  const auto& bins = sketch.bins();
  const auto last = static_cast<int64_t>(bins.size()) - 1;
  int64_t low = 0;
  for (uint64_t passed = bins[0]; low < last && passed <= cut;
       passed += bins[static_cast<size_t>(low)])
    ++low;
  int64_t high = last;
  for (uint64_t passed = bins.back(); high > 0 && passed <= cut;
       passed += bins[static_cast<size_t>(high)])
    --high;
  const double lower = std::max(static_cast<double>(sketch.min()), sketch.edge(low));
  const double upper = std::min(static_cast<double>(sketch.max()), sketch.edge(high + 1));
  return {static_cast<float>(lower), static_cast<float>(upper)};
}

}  // namespace limbeck
