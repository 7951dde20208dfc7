// The model that trains: its weights as a list, and the model again once they have changed.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "lib/autodiff/tape.h"
#include "lib/model/model.h"

namespace limbeck {

/// Immutable between calls of fit_memory().
class Student {
 public:
  /// Constants that Identity nodes share are separated first (separate_parameters). Raises what
  /// Tape::compile raises, kUsage when no weight trains, and kUnsupported for weights or running
  /// statistics that are not float.
  Student(const Model& model, TrainOptions options);

  const Tape& tape() const { return *tape_; }
  const Model& model() const { return model_; }
  const TrainOptions& options() const { return options_; }
  std::vector<std::string> parameter_names() const;
  /// Fresh copies, in the order of Tape::parameters().
  std::vector<Tensor> initial_parameters() const;
  /// Mean and variance of every BatchNormalization that runs on batch statistics, in the order of
  /// Tape::batch_norms(); fresh copies.
  std::vector<Tensor> initial_statistics() const;

  /// Compiles the tape anew, in the fewest segments (TrainOptions::segments) in which a forward
  /// pass over `inputs` keeps at most `bytes` for its backward pass: the same bits with less
  /// memory. Raises kUsage when no number of segments does. Not while others use the tape.
  void fit_memory(std::span<const Tensor> inputs, int64_t bytes);

  /// The student with these weights and running statistics; everything else is as it was.
  Model with(std::span<const Tensor> parameters, std::span<const Tensor> statistics) const;

 private:
  Model model_;
  TrainOptions options_;
  std::unique_ptr<const Tape> tape_;
};

/// Moves running statistics (Student::initial_statistics) towards those of one step. The shards'
/// statistics are pooled in their order, in double: mean over all samples of the step, variance
/// around it, corrected by count / (count - 1) as frameworks do;
/// running = momentum * running + (1 - momentum) * pooled.
void update_statistics(const std::vector<BatchNormSite>& sites,
                       const std::vector<std::vector<BatchStatistics>>& shards,
                       std::span<Tensor> running);

/// The layer in which a forward pass meets its first value that is not finite, "node 'conv1'
/// (Conv)"; without one the layer of the last weight whose gradient is not; else empty.
std::string first_bad_layer(const Student& student, std::span<const Tensor> parameters,
                            std::span<const Tensor> inputs, std::span<const Tensor> gradients,
                            uint64_t seed);

}  // namespace limbeck
