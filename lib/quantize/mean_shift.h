// Bias correction: what rounding weights does to the mean of an output. Internal to lib/quantize.
#pragma once

#include <cstdint>
#include <vector>

#include "lib/model/graph.h"
#include "lib/model/tensor.h"

namespace limbeck {

/// sum (Wq - W) E[x] of every output channel, in units of the output (M. Nagel et al., Data-Free
/// Quantization Through Weight Equalization and Bias Correction, ICCV 2019, section 4.2). `weights`
/// is the float weight of a Conv, Gemm or MatMul, `codes` and `scales` (one a channel of `axis`)
/// its rounded form, `means` the mean of every input channel. Zeros where the means do not fit the
/// weights, and for ConvTranspose.
std::vector<double> mean_shift(const Node& node, const std::vector<double>& means,
                               const Tensor& weights, const std::vector<int8_t>& codes,
                               int64_t axis, const std::vector<float>& scales);

}  // namespace limbeck
