// Steps on 8-bit codes that need no oneDNN. All keep the order of bytes of their input.
#pragma once

#include <array>
#include <memory>

#include "lib/engine/integer_loops.h"
#include "lib/engine/step.h"

namespace limbeck {

/// float -> codes.
std::unique_ptr<StepKernel> make_quantize(const QuantParams& params);
/// codes -> float.
std::unique_ptr<StepKernel> make_dequantize(const QuantParams& params);
/// Each code becomes table[code as uint8].
std::unique_ptr<StepKernel> make_code_table(const std::array<uint8_t, 256>& table, DataType result);
/// Two tensors of one shape.
std::unique_ptr<StepKernel> make_quantized_binary(const QuantizedBinary& op);
/// Mean over the spatial dimensions, then requantized. `keep` leaves dimensions of 1. With
/// `quantized` false the result is float.
struct QuantizedMean {
  QuantParams input;
  QuantParams result;
  bool quantized = true;
  bool keep = true;
};
std::unique_ptr<StepKernel> make_quantized_mean(const QuantizedMean& op);

}  // namespace limbeck
