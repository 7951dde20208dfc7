// ConvTranspose: matrix product, then columns scattered back. Window "input" is the result,
// "output" is x.
#include "lib/ops/conv_transpose.h"

#include "lib/ops/conv_core.h"
#include "lib/ops/gemm_core.h"
#include "lib/ops/rows.h"

namespace limbeck {
namespace {

void complete(TransposeAttributes& a, const Dims& weight) {
  const size_t axes = weight.size() - 2;
  complete_window(a.window, axes, a.place, Dims(weight.begin() + 2, weight.end()));
  if (a.output_padding.empty()) a.output_padding.assign(axes, 0);
  if (a.output_shape.size() == axes + 2)
    a.output_shape.erase(a.output_shape.begin(), a.output_shape.begin() + 2);
  const bool fits =
      a.output_padding.size() == axes && (a.output_shape.empty() || a.output_shape.size() == axes);
  if (!fits)
    fail_model(a.place, "output_padding and output_shape must have one item a spatial axis",
               "other lengths");
  for (size_t i = 0; i < axes; ++i) {
    const int64_t padding = a.output_padding[i];
    check_model(padding >= 0 && padding < int64_t{1} << 30, a.place,
                "output_padding must be below 2^30", padding);
  }
}

WindowAxis transpose_axis(const TransposeAttributes& a, size_t i, int64_t input) {
  const WindowAttributes& w = a.window;
  WindowAxis axis{
      0, input, w.kernel[i], w.strides[i], w.dilations[i], w.pads[i], w.pads[w.kernel.size() + i]};
  element_count({input, axis.stride}, a.place);
  const int64_t full =
      axis.stride * (input - 1) + a.output_padding[i] + (axis.kernel - 1) * axis.dilation + 1;
  const bool same = w.auto_pad == "SAME_UPPER" || w.auto_pad == "SAME_LOWER";
  if (!a.output_shape.empty() || same) {
    axis.input = a.output_shape.empty() ? input * axis.stride : a.output_shape[i];
    const int64_t total = full - axis.input;
    const int64_t less = total > 0 ? total / 2 : 0;
    axis.pad_begin = w.auto_pad == "SAME_UPPER" ? less : std::max<int64_t>(total, 0) - less;
  } else {
    if (w.auto_pad == "VALID") axis.pad_begin = axis.pad_end = 0;
    axis.input = full - axis.pad_begin - axis.pad_end;
  }
  check_model(axis.input >= 0, a.place, "the output must not be negative", axis.input);
  return axis;
}

void check_channels(const TransposeAttributes& a, const Dims& x, const Dims& w) {
  if (x.size() < 3 || w.size() != x.size()) {
    fail_model(a.place, "data and weight must have the same rank, at least 3",
               dims_text(x) + " and " + dims_text(w));
  }
  check_model(x[1] == w[0], a.place, "input channels must equal the weight's first dimension",
              w[0]);
  check_model(a.group > 0 && x[1] % a.group == 0, a.place, "group must divide the input channels",
              a.group);
}

template <typename T>
void run_transpose(KernelContext& context, const TransposeAttributes& a) {
  const Tensor& x = context.input(0);
  const Tensor& w = context.input(1);
  const TransposeGeometry g = transpose_geometry(a, x.dims(), w.dims());
  T* y = context.allocate(0, x.type(), g.output).template mutable_as<T>().data();
  const int64_t image = input_size(g.windows);
  const int64_t channels = g.output[1];
  const Tensor* bias = context.optional_input(2);
  check_model(bias == nullptr || bias->count() == channels, a.place,
              "the bias must have one item a channel", channels);
  for (int64_t i = 0; i < g.output[0] * channels; ++i) {
    std::fill_n(y + i * image, image,
                bias != nullptr ? typed<T>(*bias, a.place)[at(i % channels)] : T{0});
  }
  const int64_t x_size = output_size(g.windows);
  const int64_t rows = g.out_channels * kernel_size(g.windows);
  std::vector<T> columns(at(element_count({rows, x_size}, a.place)));
  for (int64_t i = 0; i < g.output[0] * a.group; ++i) {
    const T* weight = typed<T>(w, a.place).data() + i % a.group * g.in_channels * rows;
    std::fill(columns.begin(), columns.end(), T{0});
    multiply_add(transposed(weight, g.in_channels, rows).data(),
                 x.as<T>().data() + i * g.in_channels * x_size, columns.data(), rows, g.in_channels,
                 x_size);
    columns_to_image(g.windows, g.out_channels, columns.data(), y + i * g.out_channels * image);
  }
}

}  // namespace

TransposeAttributes read_transpose(const Node& node) {
  return {read_window(node), node.ints_attribute("output_padding", {}),
          node.ints_attribute("output_shape", {}), node.int_attribute("group", 1), node.place()};
}

TransposeGeometry transpose_geometry(TransposeAttributes a, const Dims& x, const Dims& w) {
  check_channels(a, x, w);
  complete(a, w);
  TransposeGeometry g{x[1] / a.group, w[1], {}, {x[0], w[1] * a.group}};
  for (size_t i = 2; i < x.size(); ++i) {
    g.windows.push_back(transpose_axis(a, i - 2, x[i]));
    g.output.push_back(g.windows.back().input);
  }
  return g;
}

void conv_transpose_shape(const ShapeContext& context) {
  same_type_only(context);
  const Shape* input = context.shape(0);
  const auto weight = known_dims(context.shape(1));
  if (input == nullptr || !weight) return;
  TransposeAttributes a = read_transpose(context.node);
  if (input->size() < 3 || weight->size() != input->size()) {
    fail_model(a.place, "data and weight must have the same rank, at least 3", shape_text(*input));
  }
  check_model(a.group > 0 && a.group <= (int64_t{1} << 30), a.place, "group must be positive",
              a.group);
  complete(a, *weight);
  Shape output{(*input)[0], {element_count({(*weight)[1], a.group}, a.place), ""}};
  for (size_t i = 2; i < input->size(); ++i) {
    const Dim& dim = (*input)[i];
    output.push_back(dim.known() ? Dim{transpose_axis(a, i - 2, dim.value).input, ""} : Dim{});
  }
  context.set(0, DataType::kUndefined, std::move(output));
}

std::unique_ptr<Kernel> conv_transpose_kernel(const Node& node, int64_t) {
  check_arity(node, 2);
  return make_kernel([attributes = read_transpose(node)](KernelContext& context) {
    dispatch<float, double>(context.input(0).type(), attributes.place,
                            [&]<typename T>() { run_transpose<T>(context, attributes); });
  });
}

}  // namespace limbeck
