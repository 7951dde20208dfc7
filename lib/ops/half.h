// 16-bit floating formats. Internal to lib/ops and lib/engine.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "lib/model/tensor.h"
#include "lib/ops/op.h"

namespace limbeck {

/// Nearest IEEE half, ties to even; overflow becomes infinity.
uint16_t half_from_float(float value);
/// Nearest bfloat16, ties to even.
uint16_t bfloat16_from_float(float value);
/// The same as a float.
Tensor rounded_to_bfloat16(const Tensor& values);
/// Values as kFloat16 or kBfloat16.
Tensor pack_halves(DataType type, Dims dims, const std::vector<float>& values);

/// Runs `kernel` on float copies of the half inputs and stores its float outputs as halves: exact
/// for functions that choose or compare, correctly rounded for one operation.
template <typename F>
void run_in_float(KernelContext& context, F kernel) {
  std::vector<Tensor> wide(context.input_count());
  std::vector<const Tensor*> inputs(context.input_count(), nullptr);
  for (size_t i = 0; i < inputs.size(); ++i) {
    const Tensor* input = context.optional_input(i);
    const bool half = input != nullptr && input->type() == DataType::kFloat16;
    if (half) wide[i] = Tensor::from<float>(input->dims(), input->to_float());
    inputs[i] = half ? &wide[i] : input;
  }
  std::vector<Tensor> outputs(context.output_count());
  KernelContext inner(inputs, outputs);
  kernel(inner);
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (outputs[i].type() == DataType::kFloat)
      outputs[i] = pack_halves(DataType::kFloat16, outputs[i].dims(), outputs[i].to_float());
    context.set_output(i, std::move(outputs[i]));
  }
}

}  // namespace limbeck
