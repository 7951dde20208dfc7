// QuantizeLinear: opset 10 (per tensor), 13 (axis), 21 (blocks, 4- and 16-bit types). Codes of
// int32, which ONNX does not have, are those of biases while a model trains
// (lib/quantize/training_graph.h).
#include "lib/ops/quantized.h"
#include "lib/ops/rows.h"

namespace limbeck {
namespace {

template <typename T>
std::vector<int32_t> quantize(const Tensor& x, const QuantLayout& layout,
                              const std::vector<float>& scales, const std::vector<int32_t>& zeros,
                              const CodeRange& range) {
  const auto values = x.as<T>();
  std::vector<int32_t> codes(values.size());
  for_each_quant_run(layout, [&](int64_t first, int64_t count, int64_t parameter, int64_t step) {
    for (int64_t i = 0; i < count; ++i) {
      const size_t p = at(parameter + i * step);
      codes[at(first + i)] =
          to_code(static_cast<float>(values[at(first + i)]) / scales[p], zeros[p], range);
    }
  });
  return codes;
}

}  // namespace

void quantize_linear_shape(const ShapeContext& context) {
  const Value* zero = context.input(2);
  const int64_t wanted = context.node.int_attribute("output_dtype", 0);
  DataType type = DataType::kUint8;
  if (wanted != 0) type = static_cast<DataType>(wanted);
  if (zero != nullptr) type = zero->type;
  context.set_type(0, type);
  if (context.shape(0) != nullptr) context.set(0, DataType::kUndefined, *context.shape(0));
}

std::unique_ptr<Kernel> quantize_linear_kernel(const Node& node, int64_t) {
  check_arity(node, 2);
  return make_kernel([axis = node.int_attribute("axis", 1),
                      block = node.int_attribute("block_size", 0),
                      wanted = node.int_attribute("output_dtype", 0),
                      place = node.place()](KernelContext& context) {
    const Tensor& x = context.input(0);
    const Tensor* zero = context.optional_input(2);
    DataType type = wanted != 0 ? static_cast<DataType>(wanted) : DataType::kUint8;
    if (zero != nullptr) type = zero->type();
    const CodeRange range = written_code_range(type, place);
    const QuantLayout layout = quant_layout(x.dims(), context.input(1).dims(), axis, block, place);
    const auto scales = read_scales(context.input(1), place);
    const auto zeros = read_zero_points(zero, scales.size(), place);
    dispatch<float, int32_t>(x.type(), place, [&]<typename T>() {
      const auto codes = quantize<T>(x, layout, scales, zeros, range);
      context.set_output(0, store_codes(type, x.dims(), codes, place));
    });
  });
}

}  // namespace limbeck
