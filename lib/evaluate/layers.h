// Per-layer comparison of two models. Internal to lib/evaluate.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "lib/evaluate/evaluate.h"

namespace limbeck {

/// Error of every pair in options.layers over the samples in `order`, in the order of the pairs.
/// A pass of its own over few samples: tapped values are never fused away, so the engines run
/// slower, and a quantized operator whose result is tapped runs as float kernels.
/// The model's value may hold the codes of a quantizer, which are read as code_params() tells.
/// Left out are pairs of which one side does not exist in its graph, is constant or neither float
/// nor codes, pairs whose sizes differ, and pairs that hold NaN or Inf (masks of minus infinity).
std::vector<LayerError> compare_layers(const Model& model, const Model& reference,
                                       const Dataset& dataset, std::span<const int64_t> order,
                                       const EvaluateOptions& options, int64_t micro_batch);

}  // namespace limbeck
