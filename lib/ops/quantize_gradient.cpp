// Gradients of QuantizeLinear and DequantizeLinear: straight through where the code is not clipped
// (Bengio et al. 2013), and for the scale the one of learned step sizes (Esser et al., LSQ, 2020).
//
// With v = x / scale the code q = clip(round(v) + zero) has dq/dx = 1 / scale and
// dq/dscale = -v / scale inside the range, 0 outside. DequantizeLinear, y = (q - zero) scale, is
// linear. Both together give LSQ's round(v) - v inside the range, and the clipped code outside.
#include "lib/ops/gradient_rows.h"
#include "lib/ops/quantized.h"

namespace limbeck {
namespace {

struct QuantAttributes {
  int64_t axis = 1;
  int64_t block = 0;
  DataType wanted = DataType::kUndefined;
  std::string place;
};

QuantAttributes read_quant(const Node& node) {
  return {node.int_attribute("axis", 1), node.int_attribute("block_size", 0),
          static_cast<DataType>(node.int_attribute("output_dtype", 0)), node.place()};
}

struct QuantParameters {
  QuantLayout layout;
  std::vector<float> scales;
  std::vector<int32_t> zeros;
};

QuantParameters read_parameters(const GradientContext& context, const QuantAttributes& a) {
  QuantParameters p;
  const Tensor& scale = context.input(1);
  p.layout = quant_layout(context.dims(0), scale.dims(), a.axis, a.block, a.place);
  p.scales = read_scales(scale, a.place);
  p.zeros = read_zero_points(context.has_input(2) ? &context.input(2) : nullptr, p.scales.size(),
                             a.place);
  return p;
}

/// Calls f(element, parameter) for every element.
template <typename F>
void for_each_element(const QuantLayout& layout, F f) {
  for_each_quant_run(layout, [&](int64_t first, int64_t count, int64_t parameter, int64_t step) {
    for (int64_t i = 0; i < count; ++i) f(at(first + i), at(parameter + i * step));
  });
}

void set_scale_gradient(GradientContext& context, const std::vector<double>& sums) {
  if (!context.wants(1)) return;
  auto target = context.allocate(1, DataType::kFloat, context.dims(1)).mutable_as<float>();
  for (size_t p = 0; p < target.size(); ++p) target[p] = static_cast<float>(sums[p]);
}

CodeRange code_range_of(const GradientContext& context, const QuantAttributes& a) {
  DataType type = a.wanted != DataType::kUndefined ? a.wanted : DataType::kUint8;
  if (context.has_input(2)) type = context.type(2);
  return written_code_range(type, a.place);
}

/// Whether the rounded value lies within the codes.
bool inside(float value, int32_t zero, const CodeRange& range) {
  const float shifted = std::nearbyintf(value) + static_cast<float>(zero);
  return shifted >= static_cast<float>(range.lowest) &&
         shifted <= static_cast<float>(range.highest);
}

template <typename T>
void run_quantize(GradientContext& context, const QuantAttributes& a) {
  const QuantParameters p = read_parameters(context, a);
  const CodeRange range = code_range_of(context, a);
  const auto x = typed<T>(context.input(0), a.place);
  const auto dy = context.dy().as<T>();
  std::vector<T> dx(x.size(), T{0});
  std::vector<double> scales(p.scales.size(), 0.0);
  for_each_element(p.layout, [&](size_t i, size_t parameter) {
    const float value = static_cast<float>(x[i]) / p.scales[parameter];
    if (!inside(value, p.zeros[parameter], range)) return;
    const auto scale = static_cast<T>(p.scales[parameter]);
    dx[i] = dy[i] / scale;
    scales[parameter] -= static_cast<double>(dy[i] * static_cast<T>(value) / scale);
  });
  if (context.wants(0)) context.set_gradient(0, Tensor::from<T>(context.dims(0), dx));
  set_scale_gradient(context, scales);
}

template <typename T>
void run_dequantize(GradientContext& context, const QuantAttributes& a) {
  const QuantParameters p = read_parameters(context, a);
  const auto dy = context.dy().as<T>();
  if (context.wants(0)) {
    auto dx = context.allocate(0).mutable_as<T>();
    for_each_element(p.layout, [&](size_t i, size_t parameter) {
      dx[i] = dy[i] * static_cast<T>(p.scales[parameter]);
    });
  }
  if (!context.wants(1)) return;
  const std::vector<int64_t> codes = context.input(0).to_int64();
  std::vector<double> scales(p.scales.size(), 0.0);
  for_each_element(p.layout, [&](size_t i, size_t parameter) {
    scales[parameter] +=
        static_cast<double>(dy[i]) * static_cast<double>(codes[i] - p.zeros[parameter]);
  });
  set_scale_gradient(context, scales);
}

}  // namespace

std::unique_ptr<Gradient> quantize_linear_gradient(const Node& node, int64_t) {
  check_arity(node, 2);
  return make_gradient(
      {.inputs = GradientReads::kAll}, [attributes = read_quant(node)](GradientContext& context) {
        dispatch<float, double>(context.dy().type(), attributes.place,
                                [&]<typename T>() { run_quantize<T>(context, attributes); });
      });
}

std::unique_ptr<Gradient> dequantize_linear_gradient(const Node& node, int64_t) {
  check_arity(node, 2);
  return make_gradient(
      {.inputs = GradientReads::kAll}, [attributes = read_quant(node)](GradientContext& context) {
        dispatch<float, double>(context.dy().type(), attributes.place,
                                [&]<typename T>() { run_dequantize<T>(context, attributes); });
      });
}

}  // namespace limbeck
