// Matrix products (Gemm, MatMul), in float and in int8, with bias and what follows fused.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "lib/engine/onednn/convolution.h"
#include "lib/engine/post_op.h"
#include "lib/engine/step.h"

namespace limbeck::onednn {

struct MatmulSpec {
  std::string place;
  /// Constant right-hand side, K x N (or N x K with transpose_right), float or int8.
  /// Empty: the right-hand side is the step's second input, row-major float of any rank from 2.
  Tensor weights;
  bool transpose_right = false;
  /// float, N values; empty for none. With `quantized`: in units of the accumulator.
  Tensor bias;
  /// Only functions of the value alone.
  PostOps post_ops;
  std::optional<Requantization> quantized;
};

/// Left-hand side of any rank from 2; with constant weights its leading dimensions count as rows.
/// Output: row-major.
std::unique_ptr<StepKernel> make_matmul(MatmulSpec spec);

}  // namespace limbeck::onednn
