// Steps on 8-bit codes that need no oneDNN. All keep the order of bytes of their input.
#pragma once

#include <memory>

#include "lib/engine/code_table.h"
#include "lib/engine/integer_loops.h"
#include "lib/engine/step.h"

namespace limbeck {

/// float -> codes.
std::unique_ptr<StepKernel> make_quantize(const QuantParams& params);
/// codes -> float.
std::unique_ptr<StepKernel> make_dequantize(const QuantParams& params);
/// Each code becomes table[code as uint8].
std::unique_ptr<StepKernel> make_code_table(const CodeMap& table, DataType result);
/// Two tensors of one shape, or the second with one value a channel (N x C x 1 ...).
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
