// Coarse histograms for reports. Internal to lib/report.
#pragma once

#include <cstdint>
#include <vector>

#include "calibration/observer.h"
#include "calibration/sketch.h"

namespace limbeck {

/// Counts of equal bins from `low` upwards.
struct CoarseHistogram {
  double low = 0;
  double bin_width = 0;
  std::vector<uint64_t> counts;
};

/// `bins` bins over the occupied part of the sketch. Each joins a whole number of sketch bins, so
/// the counts are exact; the last bins may lie beyond the largest value. The sketch is not empty.
CoarseHistogram coarse_histogram(const Sketch& sketch, int64_t bins);

/// Share of the values outside the range, in [0, 1]: exactly 0 when the range covers the extremes;
/// values inside a sketch bin that the range cuts are taken as evenly spread.
double clipped_share(const Sketch& sketch, const Range& range);

}  // namespace limbeck
