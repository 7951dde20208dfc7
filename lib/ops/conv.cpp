#include "lib/ops/conv_core.h"
#include "lib/ops/rows.h"

namespace limbeck {
namespace {

template <typename T>
void run_conv(KernelContext& context, const ConvGeometry& g, const std::string& place) {
  const auto x = typed<T>(context.input(0), place);
  const auto w = typed<T>(context.input(1), place);
  T* y = context.allocate(0, data_type_of<T>(), g.output).template mutable_as<T>().data();
  const int64_t channels = g.group * g.out_channels;
  const int64_t out = output_size(g.windows);
  const Tensor* bias = context.optional_input(2);
  if (bias != nullptr && bias->count() != channels) {
    fail_model(place, "the bias must have " + std::to_string(channels) + " items",
               dims_text(bias->dims()));
  }
  for (int64_t c = 0; c < g.batch * channels; ++c) {
    std::fill_n(y + c * out, out,
                bias != nullptr ? typed<T>(*bias, place)[at(c % channels)] : T{0});
  }
  convolve(g, x.data(), w.data(), y);
}

}  // namespace

void conv_shape(const ShapeContext& context) {
  conv_family_shape(context, 0, 1,
                    context.input(0) != nullptr ? context.input(0)->type : DataType::kUndefined);
}

std::unique_ptr<Kernel> conv_kernel(const Node& node, int64_t) {
  check_arity(node, 2);
  return make_kernel([window = read_window(node), group = node.int_attribute("group", 1),
                      place = node.place()](KernelContext& context) {
    const Tensor& x = context.input(0);
    const ConvGeometry g = conv_geometry(window, group, x.dims(), context.input(1).dims(), place);
    dispatch<float, double>(x.type(), place, [&]<typename T>() { run_conv<T>(context, g, place); });
  });
}

}  // namespace limbeck
