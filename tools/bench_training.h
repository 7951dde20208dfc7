// One training step, for timing: forward, cross-entropy, backward and an SGD update, as
// distillation runs it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "lib/model/model.h"

namespace limbeck {

/// A step of `batch` samples of the given pattern, cut into shards (eight, or one a sample of a
/// smaller batch), on `threads` threads. The labels are 0, 1, 2 ... in turn. `inputs(n)` makes the
/// tensors of n samples. Raises kUnsupported for a first output that is no table of class scores,
/// and as Tape::compile does.
/// Shared constants of the model are separated (lib/autodiff/parameters.h); nothing refers to it
/// afterwards. With a `format` (lib/distill/qat.h) the step is one of quantization-aware training,
/// whose ranges are those of the pattern.
std::function<void()> training_step(
    Model& model, const std::string& format, int64_t batch, int threads,
    const std::function<std::vector<Tensor>(int64_t samples)>& inputs);

}  // namespace limbeck
