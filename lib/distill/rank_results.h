// What the ranks of a training run tell each other after every step. Internal to lib/distill.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "lib/autodiff/tape.h"
#include "lib/distill/checkpoint.h"
#include "lib/distill/trainer.h"
#include "lib/distributed/communicator.h"

namespace limbeck {

/// What one shard leaves beside its gradients.
struct ShardReport {
  double loss = 0;
  std::vector<double> terms;  ///< by loss, before its weight
  std::vector<BatchStatistics> statistics;
};

/// The reports of all ranks' shards, in the order of the shards, bit by bit; `own` holds at least
/// one. All shards have as many terms and statistics of the same sizes. Raises kInterrupted.
std::vector<ShardReport> reports_of_all(Communicator& ranks, const std::vector<ShardReport>& own);

/// Raises kUsage on every rank unless all train the same student in the same way on the same data.
void require_same_run(Communicator& ranks, const TrainIdentity& identity);

/// The state of rank 0, on all ranks. `state` has the shapes that it must have.
TrainState state_of_leader(Communicator& ranks, const TrainState& state,
                           const TrainIdentity& identity);

/// What `measure` gives on rank 0, which alone calls it, on all ranks.
std::optional<double> score_of_leader(Communicator& ranks,
                                      const std::function<std::optional<double>()>& measure);

/// The first text that is not empty, in the order of the ranks.
std::string first_text(Communicator& ranks, const std::string& own);

}  // namespace limbeck
