// Runs compiled models over a data set: decoding and computing on worker threads, results handed
// over in data order.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "lib/base/ordered_run.h"
#include "lib/data/dataset.h"
#include "lib/engine/engine.h"

namespace limbeck {

/// The batch size that the model was exported for, by the first input that fixes its leading
/// dimension; 0 when it takes any.
int64_t fixed_batch(const Model& model);

struct StreamOptions {
  /// Samples computed together. Part of the result's definition (kernels may depend on it), unlike
  /// the number of threads.
  int64_t micro_batch = 8;
  /// Samples of different shapes are computed one by one. False: they are an error, as a model of
  /// fixed batch size needs.
  bool may_split = true;
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

/// The engine-free form: map(batch) makes a partial result on a worker, and reduce takes the
/// partial results on the calling thread in data order.
template <typename Partial>
void map_samples(const Dataset& dataset, std::span<const int64_t> order,
                 const StreamOptions& options, const std::function<Partial(const Batch&)>& map,
                 const std::function<void(Partial&)>& reduce);

/// Same, with the engines' results for each batch.
template <typename Partial>
void map_batches(
    const std::vector<const Engine*>& engines, const Dataset& dataset,
    std::span<const int64_t> order, const StreamOptions& options,
    const std::function<Partial(const Batch&, const std::vector<std::vector<Tensor>>&)>& map,
    const std::function<void(Partial&)>& reduce);

/// The batch's tensors in the order of the engine's inputs. Raises kData when one is missing.
std::vector<Tensor> engine_inputs(const Engine& engine, const Dataset& dataset, const Batch& batch);
/// The same for the model inputs `wanted`.
std::vector<Tensor> named_inputs(const std::vector<std::string>& wanted, const Dataset& dataset,
                                 const Batch& batch);

namespace stream_detail {

/// Micro-batch `index`: one batch, or one a sample where they cannot be stacked.
std::vector<Batch> read_batches(const Dataset& dataset, std::span<const int64_t> order,
                                const StreamOptions& options, int64_t index);
std::vector<std::vector<Tensor>> run_engines(const std::vector<const Engine*>& engines,
                                             const Dataset& dataset, const Batch& batch);

}  // namespace stream_detail

template <typename Partial>
void map_samples(const Dataset& dataset, std::span<const int64_t> order,
                 const StreamOptions& options, const std::function<Partial(const Batch&)>& map,
                 const std::function<void(Partial&)>& reduce) {
  const auto total = static_cast<int64_t>(order.size());
  const int64_t count = (total + options.micro_batch - 1) / options.micro_batch;
  std::vector<std::vector<Partial>> partials(static_cast<size_t>(count));
  run_in_order(
      count, options.threads,
      [&](int64_t i) {
        for (const Batch& batch : stream_detail::read_batches(dataset, order, options, i))
          partials[static_cast<size_t>(i)].push_back(map(batch));
      },
      [&](int64_t i) {
        auto& parts = partials[static_cast<size_t>(i)];
        for (Partial& partial : parts) reduce(partial);
        parts = {};
      });
}

template <typename Partial>
void map_batches(
    const std::vector<const Engine*>& engines, const Dataset& dataset,
    std::span<const int64_t> order, const StreamOptions& options,
    const std::function<Partial(const Batch&, const std::vector<std::vector<Tensor>>&)>& map,
    const std::function<void(Partial&)>& reduce) {
  map_samples<Partial>(
      dataset, order, options,
      [&](const Batch& batch) {
        return map(batch, stream_detail::run_engines(engines, dataset, batch));
      },
      reduce);
}

}  // namespace limbeck
