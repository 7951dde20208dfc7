// DynamicQuantizeLinear, opset 11: uint8 codes over the range that the tensor itself spans.
#include <algorithm>

#include "lib/ops/quantized.h"
#include "lib/ops/rows.h"

namespace limbeck {

void dynamic_quantize_linear_shape(const ShapeContext& context) {
  context.set_type(0, DataType::kUint8);
  if (context.shape(0) != nullptr) context.set(0, DataType::kUint8, *context.shape(0));
  context.set(1, DataType::kFloat, {});
  context.set(2, DataType::kUint8, {});
}

std::unique_ptr<Kernel> dynamic_quantize_linear_kernel(const Node& node, int64_t) {
  check_arity(node, 1);
  return make_kernel([place = node.place()](KernelContext& context) {
    const auto x = typed<float>(context.input(0), place);
    float low = 0;
    float high = 0;
    for (const float value : x) {
      low = std::min(low, value);
      high = std::max(high, value);
    }
    const float scale = high > low ? (high - low) / 255.0F : 1.0F;
    const CodeRange range{0, 255};
    const int32_t zero = to_code(-low / scale, 0, range);
    Tensor& y = context.allocate(0, DataType::kUint8, context.input(0).dims());
    const auto codes = y.mutable_as<uint8_t>();
    for (size_t i = 0; i < x.size(); ++i)
      codes[i] = static_cast<uint8_t>(to_code(x[i] / scale, zero, range));
    if (context.output_count() > 1) context.set_output(1, Tensor::scalar(scale));
    if (context.output_count() > 2)
      context.set_output(2, Tensor::scalar(static_cast<uint8_t>(zero)));
  });
}

}  // namespace limbeck
