// ConvInteger (opset 10) and QLinearConv (opset 10): convolution of 8-bit integers.
#include "lib/ops/conv_core.h"
#include "lib/ops/quantized.h"
#include "lib/ops/rows.h"

namespace limbeck {
namespace {

struct IntegerConv {
  WindowAttributes window;
  int64_t group = 1;
  std::string place;
};

IntegerConv read_integer_conv(const Node& node) {
  return {read_window(node), node.int_attribute("group", 1), node.place()};
}

/// The int32 accumulators of conv(x - x_zero, w - w_zero) + bias.
std::vector<WrappingInt> accumulate(const ConvGeometry& g, const Tensor& x, int32_t x_zero,
                                    const Tensor& w, const std::vector<int32_t>& w_zeros,
                                    const Tensor* bias, const std::string& place) {
  const int64_t channels = g.group * g.out_channels;
  const int64_t out = output_size(g.windows);
  std::vector<WrappingInt> y(at(g.batch * channels * out), 0);
  if (bias != nullptr) {
    const auto values = typed<int32_t>(*bias, place);
    check_model(bias->count() == channels, place, "the bias must have one item a channel; items",
                bias->count());
    for (int64_t c = 0; c < g.batch * channels; ++c)
      std::fill_n(y.data() + c * out, out, static_cast<WrappingInt>(values[at(c % channels)]));
  }
  const auto xs = centred(x, {x_zero}, 1, place);
  const auto ws = centred(w, w_zeros, product(w.dims(), 1, w.rank()), place);
  convolve(g, xs.data(), ws.data(), y.data());
  return y;
}

size_t parameter_count(const Tensor* tensor) {
  return tensor == nullptr ? 1 : static_cast<size_t>(tensor->count());
}

void check_channels(size_t count, const ConvGeometry& g, const std::string& place) {
  const int64_t channels = g.group * g.out_channels;
  check_model(count == 1 || count == at(channels), place,
              "weight parameters must be one or one an output channel; items",
              static_cast<int64_t>(count));
}

void run_qlinear_conv(KernelContext& context, const IntegerConv& op) {
  const Tensor& x = context.input(0);
  const Tensor& w = context.input(3);
  const ConvGeometry g = conv_geometry(op.window, op.group, x.dims(), w.dims(), op.place);
  const float x_scale = read_scales(context.input(1), op.place).at(0);
  const auto w_scales = read_scales(context.input(4), op.place);
  const float y_scale = read_scales(context.input(6), op.place).at(0);
  check_channels(w_scales.size(), g, op.place);
  const auto w_zeros =
      read_zero_points(&context.input(5), parameter_count(&context.input(5)), op.place);
  const int32_t x_zero = read_zero_points(&context.input(2), 1, op.place)[0];
  const int32_t y_zero = read_zero_points(&context.input(7), 1, op.place)[0];
  const auto sums = accumulate(g, x, x_zero, w, w_zeros, context.optional_input(8), op.place);
  const DataType type = context.input(7).type();
  const CodeRange range = code_range(type, op.place);
  const auto out = static_cast<size_t>(std::max<int64_t>(1, output_size(g.windows)));
  const auto channels = static_cast<size_t>(g.group * g.out_channels);
  std::vector<int32_t> codes(sums.size());
  for (size_t i = 0; i < sums.size(); ++i) {
    const float w_scale = w_scales.size() == 1 ? w_scales[0] : w_scales[i / out % channels];
    const float factor = x_scale * w_scale / y_scale;
    codes[i] = to_code(static_cast<float>(static_cast<int32_t>(sums[i])) * factor, y_zero, range);
  }
  context.set_output(0, store_codes(type, g.output, codes, op.place));
}

}  // namespace

void conv_integer_shape(const ShapeContext& context) {
  conv_family_shape(context, 0, 1, DataType::kInt32);
}

std::unique_ptr<Kernel> conv_integer_kernel(const Node& node, int64_t) {
  check_arity(node, 2);
  return make_kernel([op = read_integer_conv(node)](KernelContext& context) {
    const Tensor& x = context.input(0);
    const Tensor& w = context.input(1);
    const ConvGeometry g = conv_geometry(op.window, op.group, x.dims(), w.dims(), op.place);
    const Tensor* w_zero = context.optional_input(3);
    const size_t count = parameter_count(w_zero);
    check_channels(count, g, op.place);
    const auto zeros = read_zero_points(w_zero, count, op.place);
    const int32_t x_zero = read_zero_points(context.optional_input(2), 1, op.place)[0];
    const auto sums = accumulate(g, x, x_zero, w, zeros, nullptr, op.place);
    const auto y = context.allocate(0, DataType::kInt32, g.output).mutable_as<int32_t>();
    for (size_t i = 0; i < y.size(); ++i) y[i] = static_cast<int32_t>(sums[i]);
  });
}

void qlinear_conv_shape(const ShapeContext& context) {
  const Value* zero = context.input(7);
  conv_family_shape(context, 0, 3, zero == nullptr ? DataType::kUndefined : zero->type);
}

std::unique_ptr<Kernel> qlinear_conv_kernel(const Node& node, int64_t) {
  check_arity(node, 8);
  return make_kernel(
      [op = read_integer_conv(node)](KernelContext& context) { run_qlinear_conv(context, op); });
}

}  // namespace limbeck
