// DequantizeLinear: opset 10 (per tensor), 13 (axis), 21 (blocks, 4- and 16-bit types).
#include "lib/ops/nibbles.h"
#include "lib/ops/quantized.h"
#include "lib/ops/rows.h"

namespace limbeck {
namespace {

template <typename T>
void dequantize(std::span<const T> codes, const QuantLayout& layout,
                const std::vector<float>& scales, const std::vector<int32_t>& zeros, float* y) {
  for_each_quant_run(layout, [&](int64_t first, int64_t count, int64_t parameter, int64_t step) {
    for (int64_t i = 0; i < count; ++i) {
      const size_t p = at(parameter + i * step);
      const int64_t code = static_cast<int64_t>(codes[at(first + i)]) - zeros[p];
      y[first + i] = static_cast<float>(code) * scales[p];
    }
  });
}

}  // namespace

void dequantize_linear_shape(const ShapeContext& context) {
  const Value* scale = context.input(1);
  context.set_type(0, scale == nullptr ? DataType::kFloat : scale->type);
  if (context.shape(0) != nullptr) context.set(0, DataType::kUndefined, *context.shape(0));
}

std::unique_ptr<Kernel> dequantize_linear_kernel(const Node& node, int64_t) {
  check_arity(node, 2);
  return make_kernel([axis = node.int_attribute("axis", 1),
                      block = node.int_attribute("block_size", 0),
                      place = node.place()](KernelContext& context) {
    const Tensor& x = context.input(0);
    const QuantLayout layout = quant_layout(x.dims(), context.input(1).dims(), axis, block, place);
    const auto scales = read_scales(context.input(1), place);
    const auto zeros = read_zero_points(context.optional_input(2), scales.size(), place);
    float* y = context.allocate(0, DataType::kFloat, x.dims()).mutable_as<float>().data();
    if (is_4_bit(x.type())) {
      const auto codes = x.to_int64();
      return dequantize<int64_t>(codes, layout, scales, zeros, y);
    }
    dispatch<uint8_t, int8_t, int32_t, uint16_t, int16_t>(
        x.type(), place, [&]<typename T>() { dequantize<T>(x.as<T>(), layout, scales, zeros, y); });
  });
}

}  // namespace limbeck
