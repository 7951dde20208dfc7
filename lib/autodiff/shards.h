// A batch in shards: the same gradients for any number of threads.
#pragma once

#include <functional>

#include "lib/autodiff/tape.h"

namespace limbeck {

/// The gradients of the loss by the outputs of one shard, in the order of Tape::output_names(); an
/// empty tensor means zero. Called once a shard, on any thread and in any order: must touch nothing
/// but what belongs to the shard.
using ShardLoss = std::function<std::vector<Tensor>(size_t shard, const Pass& pass)>;

struct ShardedGradients {
  std::vector<Tensor> parameters;                        ///< sums over the shards
  std::vector<std::vector<BatchStatistics>> statistics;  ///< by shard, then by batch_norms()
};

/// Runs every shard forward and backward, each on one of `threads` threads, and adds the gradients
/// in the order of the shards: what is computed does not depend on `threads`. `shards` holds the
/// inputs of each shard in the order of Tape::input_names(); shard i draws from
/// derived_seed(seed, i). The error of the first shard that failed is raised, when all threads have
/// ended.
ShardedGradients run_shards(const Tape& tape, std::span<const Tensor> parameters,
                            const std::vector<std::vector<Tensor>>& shards, uint64_t seed,
                            const ShardLoss& loss, int threads);

}  // namespace limbeck
