#include "lib/autodiff/shards.h"

#include <algorithm>

#include "lib/autodiff/program.h"
#include "lib/base/ordered_run.h"
#include "lib/ops/dropout_training.h"

namespace limbeck {

ShardedGradients run_shards(const Tape& tape, std::span<const Tensor> parameters,
                            const std::vector<std::vector<Tensor>>& shards, uint64_t seed,
                            const ShardLoss& loss, int threads) {
  ShardedGradients result;
  result.statistics.resize(shards.size());
  std::vector<std::vector<Tensor>> gradients(shards.size());
  const auto compute = [&](int64_t index) {
    const auto i = static_cast<size_t>(index);
    Pass pass = tape.forward(parameters, shards[i], derived_seed(seed, i));
    const std::vector<Tensor> dy = loss(i, pass);
    result.statistics[i] = std::move(pass.statistics);
    gradients[i] = tape.backward(std::move(pass), dy).parameters;
  };
  const auto add = [&](int64_t index) {
    std::vector<Tensor> part = std::move(gradients[static_cast<size_t>(index)]);
    if (index == 0) {
      result.parameters = std::move(part);
      return;
    }
    for (size_t p = 0; p < part.size(); ++p)
      result.parameters[p] = sum_of(result.parameters[p], part[p], tape.parameters()[p].name);
  };
  run_in_order(static_cast<int64_t>(shards.size()), std::max(1, threads), compute, add);
  return result;
}

}  // namespace limbeck
