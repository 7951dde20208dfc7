// Matchers for QDQ patterns: DequantizeLinear -> float operator -> QuantizeLinear as one integer
// kernel.
#pragma once

#include "lib/engine/quant_values.h"

namespace limbeck {

/// Conv, ConvTranspose, Gemm and MatMul over 8-bit activations and 8- or 4-bit weights, with or
/// without a QuantizeLinear at the end.
std::optional<Selection> match_integer_weighted(const Scope& scope, const Node& tail);
/// Add or Mul of two 8-bit tensors of one shape, functions of one tensor (as a table of 256 codes),
/// and averages over the image.
std::optional<Selection> match_integer_elementwise(const Scope& scope, const Node& tail);
/// Operators that only move values, between equal quantization parameters: they run on the codes.
std::optional<Selection> match_integer_moves(const Scope& scope, const Node& tail);
/// Concat of 8-bit codes between conversions.
std::optional<Selection> match_quantized_concat(const Scope& scope, const Node& tail);
/// QLinearConv, QLinearMatMul, ConvInteger, MatMulInteger, those of com.microsoft, and MaxPool on
/// codes.
std::optional<Selection> match_integer_operators(const Scope& scope, const Node& tail);
/// com.microsoft QLinearConcat.
std::optional<Selection> match_code_concat(const Scope& scope, const Node& node);
/// Add or Mul of two 8-bit tensors whose shapes the step takes.
std::optional<Selection> select_quantized_binary(const QuantizedValue& left,
                                                 const QuantizedValue& right,
                                                 const QuantParams& output, bool multiply);
/// QuantizeLinear to 4 bits -> DequantizeLinear with the same parameters, as one step in float.
std::optional<Selection> match_rounding(const Scope& scope, const Node& tail);
/// QuantizeLinear and DequantizeLinear that no pattern above has swallowed.
std::optional<Selection> match_conversions(const Scope& scope, const Node& tail);

}  // namespace limbeck
