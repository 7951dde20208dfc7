// A batch in shards: the same gradients for any number of threads.
#pragma once

#include <functional>

#include "lib/autodiff/tape.h"
#include "lib/distributed/communicator.h"

namespace limbeck {

/// The gradients of the loss by the outputs of one shard, in the order of Tape::output_names(); an
/// empty tensor means zero. Called once a shard, on any thread and in any order: must touch nothing
/// but what belongs to the shard.
/// `shard` counts the shards of this rank.
using ShardLoss = std::function<std::vector<Tensor>(size_t shard, const Pass& pass)>;

struct ShardedGradients {
  std::vector<Tensor> parameters;  ///< sums over all shards, those of other ranks included
  std::vector<std::vector<BatchStatistics>> statistics;  ///< by own shard, then by batch_norms()
};

/// Runs every shard forward and backward, each on one of `threads` threads, and adds the gradients
/// in the order of the shards: what is computed does not depend on `threads`. `shards` holds the
/// inputs of each shard in the order of Tape::input_names(); shard i draws from
/// derived_seed(seed, i). The error of the first shard that failed is raised, when all threads have
/// ended.
ShardedGradients run_shards(const Tape& tape, std::span<const Tensor> parameters,
                            const std::vector<std::vector<Tensor>>& shards, uint64_t seed,
                            const ShardLoss& loss, int threads);

/// The shards of this rank among those of a whole batch.
struct RankShards {
  Communicator* ranks = nullptr;  ///< null: this process has all shards
  size_t first = 0;               ///< the first own one, counted over the batch
};

/// The same where each rank computes some of the shards, at least one, in order of the ranks: the
/// sums are those of one process, bit for bit. Gradients travel while the passes still run, those
/// of the last layers first. Float parameters only. Called from the main thread of every rank.
ShardedGradients run_shards(const Tape& tape, std::span<const Tensor> parameters,
                            const std::vector<std::vector<Tensor>>& shards, uint64_t seed,
                            const ShardLoss& loss, int threads, const RankShards& own);

/// Float tensors, one list for each shard of this rank: summed over all shards of all ranks, in the
/// order of the shards.
std::vector<Tensor> sum_over_ranks(Communicator& ranks,
                                   const std::vector<std::vector<Tensor>>& shards);

}  // namespace limbeck
