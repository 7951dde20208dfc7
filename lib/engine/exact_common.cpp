#include "lib/engine/exact_common.h"

#include <utility>

namespace limbeck {
namespace {

using onednn::Requantization;

Finish::Output output_kind(DataType type) {
  if (type == DataType::kUint8) return Finish::Output::kUint8;
  if (type == DataType::kInt8) return Finish::Output::kInt8;
  return type == DataType::kInt32 ? Finish::Output::kInt32 : Finish::Output::kFloat;
}

}  // namespace

int32_t input_zero(const StepContext& context, const Requantization& quantized) {
  const Activation* zero = context.optional_input(1);
  return zero == nullptr ? quantized.input_zero
                         : static_cast<int32_t>(zero->tensor.to_int64().at(0));
}

Finish make_finish(const Requantization& quantized, const Tensor& bias, PostOps post_ops,
                   int64_t columns) {
  Finish finish;
  const auto size = static_cast<size_t>(columns);
  finish.scales.assign(size + Finish::kPadding, 0.0F);
  finish.bias.assign(size + Finish::kPadding, 0.0F);
  for (size_t c = 0; c < size; ++c) {
    finish.scales[c] = quantized.scales.size() == 1 ? quantized.scales[0] : quantized.scales[c];
    if (!bias.empty()) finish.bias[c] = bias.as<float>()[c];
  }
  finish.post_ops = std::move(post_ops);
  finish.unit = quantized.unit;
  finish.requantize = quantized.requantize;
  finish.zero = quantized.output_zero;
  finish.output = output_kind(quantized.output_type);
  return finish;
}

}  // namespace limbeck
