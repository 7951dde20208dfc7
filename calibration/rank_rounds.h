// Samples that are observed by several ranks and followed in data order. Internal to calibration.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "calibration/sketch_loops.h"
#include "lib/distributed/communicator.h"
#include "lib/engine/stream.h"

namespace limbeck {

/// What a micro-batch leaves for the moving averages: the extremes of each sample, tensor by
/// tensor.
struct Partial {
  std::vector<std::vector<Extremes>> extremes;
  /// Sums of every channel of each sample, one after the other, where a tensor needs means.
  std::vector<std::vector<double>> sums;
  int64_t samples = 0;
};

/// map_samples() on all ranks: in rounds of bounded size, every rank maps a part of the
/// micro-batches, and rank 0 alone reduces the partial results of all, in data order. A micro-batch
/// holds the same samples as in one process. The first error in data order is raised on all ranks.
void map_samples_on_ranks(Communicator& ranks, const Dataset& dataset,
                          std::span<const int64_t> order, const StreamOptions& options,
                          const std::function<Partial(const Batch&)>& map,
                          const std::function<void(Partial&)>& reduce);

}  // namespace limbeck
