// One training step, for timing: forward, cross-entropy, backward and an SGD update, as
// distillation runs it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "lib/engine/precision.h"
#include "lib/model/model.h"

namespace limbeck {

struct TrainingStepOptions {
  std::string format;  ///< of quantization-aware training (lib/distill/qat.h); empty: none
  Precision precision = Precision::kFloat;
  int64_t batch = 1;
  int threads = 1;
};

/// A step of a batch of the given pattern, cut into shards (eight, or one a sample of a smaller
/// batch). The labels are 0, 1, 2 ... in turn. `inputs(n)` makes the
/// tensors of n samples. Raises kUnsupported for a first output that is no table of class scores,
/// and as Tape::compile does.
/// Shared constants of the model are separated (lib/autodiff/parameters.h); nothing refers to it
/// afterwards. Ranges of quantization-aware training are those of the pattern.
std::function<void()> training_step(
    Model& model, const TrainingStepOptions& step_options,
    const std::function<std::vector<Tensor>(int64_t samples)>& inputs);

}  // namespace limbeck
