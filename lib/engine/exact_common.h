// What the exact convolution and product share. Internal to lib/engine.
#pragma once

#include "lib/engine/exact_loops.h"
#include "lib/engine/onednn/convolution.h"

namespace limbeck {

/// Widened input values that one task keeps at hand: half of a second-level cache of 256 KiB.
constexpr int64_t kBandBytes = 131072;

inline const uint8_t* codes_of(const Tensor& tensor) {
  return reinterpret_cast<const uint8_t*>(tensor.raw());
}

/// The zero point of the input: a second input of the step when only the run knows it.
int32_t input_zero(const StepContext& context, const onednn::Requantization& quantized);

Finish make_finish(const onednn::Requantization& quantized, const Tensor& bias, PostOps post_ops,
                   int64_t columns);

}  // namespace limbeck
