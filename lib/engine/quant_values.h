// Reads quantization parameters out of a graph that is being compiled.
#pragma once

#include <optional>
#include <vector>

#include "lib/engine/integer_loops.h"
#include "lib/engine/scope.h"

namespace limbeck {

/// One side of a per-tensor, 8-bit QuantizeLinear or DequantizeLinear: the integers and how to read
/// them.
struct QuantizedValue {
  const Value* codes = nullptr;
  QuantParams params;
};

/// The integers behind `value`, when a DequantizeLinear with one constant 8-bit scale and zero
/// point makes it from something that is computed.
std::optional<QuantizedValue> dequantized_from(const Scope& scope, const Value* value);

/// The parameters of a QuantizeLinear with one constant scale and 8-bit codes.
std::optional<QuantParams> quantizer_params(const Scope& scope, const Node& node);

/// Constant int8 or int4 weights behind a DequantizeLinear, symmetric, one scale for each position
/// of `axis` or one for all.
struct QuantizedWeights {
  Tensor codes;  ///< int8; 4-bit codes are unpacked
  std::vector<float> scales;
};
std::optional<QuantizedWeights> quantized_weights(const Scope& scope, const Value* value,
                                                  int64_t axis);

}  // namespace limbeck
