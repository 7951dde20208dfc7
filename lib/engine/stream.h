// Runs compiled models over a data set: decoding and computing on worker threads, results handed
// over in data order.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "lib/data/dataset.h"
#include "lib/engine/engine.h"

namespace limbeck {

struct StreamOptions {
  /// Samples computed together. Part of the result's definition (kernels may depend on it), unlike
  /// the number of threads.
  int64_t micro_batch = 8;
  /// Worker threads, 0 for all cores.
  int threads = 0;
  std::string label = "running";  ///< of the progress line
  bool quiet = true;
};

/// `outputs[e]` are the results of engine e, in the order of its output_names().
/// `consume` is called on the calling thread in data order. At most two micro-batches a thread are
/// in flight, so memory does not grow with the data. The first error in data order is raised; a
/// signal raises kInterrupted.
void stream_batches(
    const std::vector<const Engine*>& engines, const Dataset& dataset,
    std::span<const int64_t> order, const StreamOptions& options,
    const std::function<void(const Batch&, const std::vector<std::vector<Tensor>>&)>& consume);

/// Same, with heavy per-batch work on the worker: map(batch, outputs) makes a partial result there,
/// and reduce takes the partial results in data order.
template <typename Partial>
void map_batches(
    const std::vector<const Engine*>& engines, const Dataset& dataset,
    std::span<const int64_t> order, const StreamOptions& options,
    const std::function<Partial(const Batch&, const std::vector<std::vector<Tensor>>&)>& map,
    const std::function<void(Partial&)>& reduce);

namespace stream_detail {

/// Calls work(i) for i in [0, count) on threads, then finish(i) in order on the caller, with a
/// bounded lead.
void run_in_order(int64_t count, int threads, const std::function<void(int64_t)>& work,
                  const std::function<void(int64_t)>& finish);

Batch read_batch(const Dataset& dataset, std::span<const int64_t> order, int64_t micro_batch,
                 int64_t index);
std::vector<std::vector<Tensor>> run_engines(const std::vector<const Engine*>& engines,
                                             const Dataset& dataset, const Batch& batch);

}  // namespace stream_detail

template <typename Partial>
void map_batches(
    const std::vector<const Engine*>& engines, const Dataset& dataset,
    std::span<const int64_t> order, const StreamOptions& options,
    const std::function<Partial(const Batch&, const std::vector<std::vector<Tensor>>&)>& map,
    const std::function<void(Partial&)>& reduce) {
  const auto total = static_cast<int64_t>(order.size());
  const int64_t count = (total + options.micro_batch - 1) / options.micro_batch;
  std::vector<Partial> partials(static_cast<size_t>(count));
  stream_detail::run_in_order(
      count, options.threads,
      [&](int64_t i) {
        const Batch batch = stream_detail::read_batch(dataset, order, options.micro_batch, i);
        partials[static_cast<size_t>(i)] =
            map(batch, stream_detail::run_engines(engines, dataset, batch));
      },
      [&](int64_t i) {
        reduce(partials[static_cast<size_t>(i)]);
        partials[static_cast<size_t>(i)] = Partial();
      });
}

}  // namespace limbeck
