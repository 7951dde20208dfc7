// A weighted operator over 8-bit codes, however the model wrote it down (QDQ or QOperator), and the
// step that runs it.
#pragma once

#include "lib/engine/onednn/convolution.h"
#include "lib/engine/quant_values.h"

namespace limbeck {

/// Everything that the integer kernels need.
struct IntegerPattern {
  const Node* anchor = nullptr;  ///< with the attributes of Conv, ConvTranspose or Gemm
  PostOps post_ops;
  const Value* codes = nullptr;  ///< the activation
  QuantParams input;
  QuantizedWeights weights;
  Tensor bias;  ///< float, in units of the accumulator; empty for none
  onednn::Requantization quantized;
  /// The zero point when it is known only at run time, else null.
  const Value* runtime_zero = nullptr;
};

/// How accumulators become results. `output` null: real values.
onednn::Requantization requantization(const IntegerPattern& pattern, const QuantParams* output);

/// Convolution, transposed or not; nothing when no kernel fits.
std::optional<Selection> select_integer_convolution(IntegerPattern pattern, bool transposed);
/// Product with constant weights; `transpose_right`: weights are N x K.
std::optional<Selection> select_integer_matmul(IntegerPattern pattern, bool transpose_right);

}  // namespace limbeck
