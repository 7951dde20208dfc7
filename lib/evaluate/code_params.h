// How the integers of a quantized activation are read. Internal to lib/evaluate.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "lib/model/graph.h"
#include "lib/model/tensor.h"
#include "lib/quantize/affine.h"

namespace limbeck {

/// Scale and zero point that stand beside `value` in the inputs of an operator that reads it
/// (DequantizeLinear, QLinearConv, QGemm ...), perhaps behind operators that hand the codes on
/// (Reshape, MaxPool, Clip ...), or in those of the QuantizeLinear that makes it. Nothing where
/// they are no constants, or more than one.
std::optional<AffineParams> code_params(const Value& value);

/// A computed value that holds floats, or may.
bool is_float_activation(const Value* value);

/// The real numbers of a tensor of codes.
std::vector<float> dequantized_values(const Tensor& codes, const AffineParams& params);

}  // namespace limbeck
