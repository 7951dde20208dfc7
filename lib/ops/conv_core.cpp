#include "lib/ops/conv_core.h"

#include "lib/ops/gemm_core.h"

namespace limbeck {
namespace {

/// One input channel a group: no matrix product to gain from.
template <typename T>
void convolve_depthwise(const ConvGeometry& g, const T* x, const T* w, T* y) {
  const int64_t in = input_size(g.windows);
  const int64_t out = output_size(g.windows);
  const int64_t kernel = kernel_size(g.windows);
  const int64_t channels = g.group * g.out_channels;
  for (int64_t k = 0; k < kernel; ++k) {
    for_each_run(g.windows, k, [&](int64_t target, int64_t source, int64_t count, int64_t step) {
      for (int64_t c = 0; c < g.batch * channels; ++c) {
        const T weight = w[c % channels * kernel + k];
        T* to = y + c * out + target;
        const T* from = x + c / g.out_channels * in + source;
        for (int64_t i = 0; i < count; ++i) to[i] += weight * from[i * step];
      }
    });
  }
}

}  // namespace

bool is_pointwise(const Windows& windows) {
  return std::all_of(windows.begin(), windows.end(), [](const WindowAxis& axis) {
    return axis.kernel == 1 && axis.stride == 1 && axis.pad_begin == 0 && axis.pad_end == 0;
  });
}

template <typename T>
void image_to_columns(const Windows& windows, int64_t channels, const T* x, T* columns) {
  const int64_t in = input_size(windows);
  const int64_t out = output_size(windows);
  const int64_t kernel = kernel_size(windows);
  std::fill(columns, columns + channels * kernel * out, T{0});
  for (int64_t k = 0; k < kernel; ++k) {
    for_each_run(windows, k, [&](int64_t target, int64_t source, int64_t count, int64_t step) {
      for (int64_t c = 0; c < channels; ++c) {
        T* to = columns + (c * kernel + k) * out + target;
        const T* from = x + c * in + source;
        for (int64_t i = 0; i < count; ++i) to[i] = from[i * step];
      }
    });
  }
}

template <typename T>
void columns_to_image(const Windows& windows, int64_t channels, const T* columns, T* y) {
  const int64_t kernel = kernel_size(windows);
  const int64_t image = input_size(windows);
  const int64_t x_size = output_size(windows);
  for (int64_t k = 0; k < kernel; ++k) {
    for_each_run(windows, k, [&](int64_t source, int64_t target, int64_t count, int64_t step) {
      for (int64_t c = 0; c < channels; ++c) {
        const T* from = columns + (c * kernel + k) * x_size + source;
        T* to = y + c * image + target;
        for (int64_t i = 0; i < count; ++i) to[i * step] += from[i];
      }
    });
  }
}

ConvGeometry conv_geometry(WindowAttributes window, int64_t group, const Dims& x, const Dims& w,
                           const std::string& place) {
  if (x.size() < 3 || w.size() != x.size()) {
    fail_model(place, "data and weight must have the same rank, at least 3",
               dims_text(x) + " and " + dims_text(w));
  }
  check_model(group > 0 && w[0] % group == 0, place, "group must divide the output channels",
              group);
  if (w[1] > x[1] || x[1] != w[1] * group) {
    fail_model(place, "input channels must equal group times the weight's second dimension",
               std::to_string(x[1]) + " channels, group " + std::to_string(group) + ", weight " +
                   dims_text(w));
  }
  complete_window(window, x.size() - 2, place, Dims(w.begin() + 2, w.end()));
  ConvGeometry g{x[0], group, w[1], w[0] / group, resolve_windows(window, x, place), {x[0], w[0]}};
  for (const WindowAxis& axis : g.windows) g.output.push_back(axis.output);
  return g;
}

void conv_family_shape(const ShapeContext& context, size_t x, size_t w, DataType type) {
  context.set_type(0, type);
  const Shape* data = context.shape(x);
  const auto weight = known_dims(context.shape(w));
  if (data == nullptr || !weight) return;
  const std::string place = context.node.place();
  if (data->size() < 3 || weight->size() != data->size()) {
    fail_model(place, "data and weight must have the same rank, at least 3",
               shape_text(*data) + " and " + dims_text(*weight));
  }
  WindowAttributes window = read_window(context.node);
  complete_window(window, data->size() - 2, place, Dims(weight->begin() + 2, weight->end()));
  Shape output{(*data)[0], {(*weight)[0], ""}};
  append_window_dims(window, *data, output, place);
  context.set(0, type, std::move(output));
}

template <typename T>
void convolve(const ConvGeometry& g, const T* x, const T* w, T* y) {
  if (g.in_channels == 1) return convolve_depthwise(g, x, w, y);
  const int64_t in = input_size(g.windows);
  const int64_t out = output_size(g.windows);
  const int64_t inner = g.in_channels * kernel_size(g.windows);
  const bool direct = is_pointwise(g.windows);
  std::vector<T> columns(direct ? 0 : at(element_count({inner, out}, "convolution")));
  for (int64_t i = 0; i < g.batch * g.group; ++i) {
    const T* source = x + i * g.in_channels * in;
    if (!direct) image_to_columns(g.windows, g.in_channels, source, columns.data());
    const T* weight = w + i % g.group * g.out_channels * inner;
    multiply_add(weight, direct ? source : columns.data(), y + i * g.out_channels * out,
                 g.out_channels, inner, out);
  }
}

template void image_to_columns(const Windows&, int64_t, const float*, float*);
template void image_to_columns(const Windows&, int64_t, const double*, double*);
template void image_to_columns(const Windows&, int64_t, const WrappingInt*, WrappingInt*);
template void columns_to_image(const Windows&, int64_t, const float*, float*);
template void columns_to_image(const Windows&, int64_t, const double*, double*);
template void convolve(const ConvGeometry&, const float*, const float*, float*);
template void convolve(const ConvGeometry&, const double*, const double*, double*);
template void convolve(const ConvGeometry&, const WrappingInt*, const WrappingInt*, WrappingInt*);

}  // namespace limbeck
