// Convolutions and products of 8-bit codes for CPUs on which oneDNN's 8-bit kernels are not exact.
#pragma once

#include <memory>

#include "lib/engine/onednn/convolution.h"
#include "lib/engine/onednn/matmul.h"

namespace limbeck {

/// True when make_exact_convolution takes the spec: quantized, not transposed, one or two spatial
/// dimensions, no additions among the post-operations.
bool exact_convolution_fits(const onednn::ConvolutionSpec& spec);
std::unique_ptr<StepKernel> make_exact_convolution(onednn::ConvolutionSpec spec);
/// Constant weights, quantized.
std::unique_ptr<StepKernel> make_exact_matmul(onednn::MatmulSpec spec);

}  // namespace limbeck
