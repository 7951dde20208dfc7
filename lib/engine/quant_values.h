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

/// A constant scale above zero of one element, and its constant zero point (null: 0), for codes of
/// the 8-bit `type`.
std::optional<QuantParams> read_params(const Scope& scope, DataType type, const Value* scale,
                                       const Value* zero);

/// Constant 8- or 4-bit weights with one scale for each position of `axis` or one for all. Codes
/// minus zero points must fit into int8.
struct QuantizedWeights {
  Tensor codes;  ///< int8, zero points taken off; 4-bit codes are unpacked
  std::vector<float> scales;
};
/// The codes alone.
std::optional<Tensor> read_codes(const Scope& scope, const Value* codes, const Value* zero,
                                 int64_t axis);
std::optional<QuantizedWeights> read_weights(const Scope& scope, const Value* codes,
                                             const Value* scale, const Value* zero, int64_t axis);

/// The weights behind a DequantizeLinear along `axis`.
std::optional<QuantizedWeights> quantized_weights(const Scope& scope, const Value* value,
                                                  int64_t axis);

}  // namespace limbeck
