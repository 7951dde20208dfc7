// Small questions about a graph that planning and rewriting both ask.
#pragma once

#include <cstdint>

#include "lib/model/model.h"
#include "lib/ops/op.h"

namespace limbeck {

/// Of the node's row in the operator table; kNone for an operator that is not there.
QuantRole role_of(const Model& model, const Node& node);

bool is_float(const Value* value);

/// Relu, or Clip with a lower bound of zero, that is the only reader of its input: the quantizer's
/// saturation may do its work.
bool is_absorbed(const Node& activation);

/// The value that is quantized in place of `value`: the result of an absorbed activation, else the
/// value itself.
const Value* quantized_output(const Value& value);
Value* quantized_output(Value& value);

/// Upper bound of a Clip (infinity when absent); 0..infinity for Relu.
float upper_bound(const Node& activation);

/// Channel axis of a weighted node's weights: Conv 0, ConvTranspose 1, Gemm 1 (0 with transB),
/// MatMul last; -1 when the rank does not allow one.
int64_t weight_axis(const Node& node);

/// A constant that may be quantized with one scale: finite, and no extreme magnitude such as an
/// attention mask's.
bool constant_is_quantizable(const Value& value);

}  // namespace limbeck
