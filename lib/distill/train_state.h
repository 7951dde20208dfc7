// Everything that a training run remembers from one step to the next.
#pragma once

#include <cstdint>
#include <vector>

#include "lib/autodiff/optimizer.h"
#include "lib/autodiff/weight_average.h"
#include "lib/model/tensor.h"

namespace limbeck {

/// Sums over steps, for the log.
struct LogSums {
  int64_t steps = 0;
  double loss = 0;
  std::vector<double> terms;  ///< by loss, before its weight
  double gradient_norm = 0;
};

/// Plain values: saved and restored bit by bit, a run goes on to the same bytes. Tensors are float
/// and owned by the state alone.
struct TrainState {
  int64_t step = 0;                ///< steps done
  int64_t epochs = 0;              ///< epochs done, validation included
  std::vector<Tensor> values;      ///< weights of the student, then those of the losses
  std::vector<Tensor> statistics;  ///< Student::initial_statistics()
  OptimizerState optimizer;
  WeightAverage average;  ///< of the student's weights and statistics; empty when not asked for
  /// Weights and statistics of the best epoch, the initial ones before the first; empty when
  /// training does not stop early.
  std::vector<Tensor> best;
  double best_score = 0;   ///< percent, of best_epoch
  int64_t best_epoch = 0;  ///< from 1; 0: none
  bool stopped = false;    ///< early stopping has ended the run
  LogSums group;           ///< since the last line of the log
  LogSums epoch;           ///< since the start of the epoch
  uint64_t log_bytes = 0;  ///< length of the log
};

}  // namespace limbeck
