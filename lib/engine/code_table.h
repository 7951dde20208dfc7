// Functions of one 8-bit code, as tables.
#pragma once

#include <array>
#include <vector>

#include "lib/engine/integer_loops.h"
#include "lib/engine/post_op.h"
#include "lib/model/data_type.h"

namespace limbeck {

using CodeMap = std::array<uint8_t, 256>;

/// The result of every possible code, by the code as uint8: dequantize, apply all functions in
/// order, quantize. No functions: a change of parameters.
CodeMap code_table(const QuantParams& input, const QuantParams& output,
                   const std::vector<Unary>& functions);

inline DataType code_type(const QuantParams& params) {
  return params.is_signed ? DataType::kInt8 : DataType::kUint8;
}

}  // namespace limbeck
