// Gradient of Conv: the matrix products of im2col, transposed.
#include "lib/ops/conv_core.h"
#include "lib/ops/gemm_core.h"
#include "lib/ops/gradient_rows.h"

namespace limbeck {
namespace {

struct Sizes {
  explicit Sizes(const ConvGeometry& g)
      : in(input_size(g.windows)),
        out(output_size(g.windows)),
        kernel(kernel_size(g.windows)),
        inner(g.in_channels * kernel) {}
  int64_t in;
  int64_t out;
  int64_t kernel;
  int64_t inner;
};

/// dx += W^T dy, put back from columns to the image.
template <typename T>
void data_gradient(const ConvGeometry& g, const T* w, const T* dy, T* dx) {
  const Sizes s(g);
  const bool direct = is_pointwise(g.windows);
  std::vector<std::vector<T>> turned;
  for (int64_t group = 0; group < g.group; ++group)
    turned.push_back(transposed(w + group * g.out_channels * s.inner, g.out_channels, s.inner));
  std::vector<T> columns(direct ? 0 : at(s.inner * s.out));
  for (int64_t i = 0; i < g.batch * g.group; ++i) {
    T* image = dx + i * g.in_channels * s.in;
    std::fill(columns.begin(), columns.end(), T{0});
    multiply_add(turned[at(i % g.group)].data(), dy + i * g.out_channels * s.out,
                 direct ? image : columns.data(), s.inner, g.out_channels, s.out);
    if (!direct) columns_to_image(g.windows, g.in_channels, columns.data(), image);
  }
}

/// dw += dy columns^T.
template <typename T>
void weight_gradient(const ConvGeometry& g, const T* x, const T* dy, T* dw) {
  const Sizes s(g);
  const bool direct = is_pointwise(g.windows);
  std::vector<T> columns(direct ? 0 : at(s.inner * s.out));
  for (int64_t i = 0; i < g.batch * g.group; ++i) {
    const T* image = x + i * g.in_channels * s.in;
    if (!direct) image_to_columns(g.windows, g.in_channels, image, columns.data());
    const auto turned = transposed(direct ? image : columns.data(), s.inner, s.out);
    multiply_add(dy + i * g.out_channels * s.out, turned.data(),
                 dw + i % g.group * g.out_channels * s.inner, g.out_channels, s.out, s.inner);
  }
}

/// One input channel a group: both gradients without columns. Null for what is not wanted.
template <typename T>
void depthwise_gradient(const ConvGeometry& g, const T* x, const T* w, const T* dy, T* dx, T* dw) {
  const Sizes s(g);
  const int64_t channels = g.group * g.out_channels;
  for (int64_t k = 0; k < s.kernel; ++k) {
    for_each_run(g.windows, k, [&](int64_t target, int64_t source, int64_t count, int64_t step) {
      for (int64_t c = 0; c < g.batch * channels; ++c) {
        const int64_t element = c % channels * s.kernel + k;
        const T* from = dy + c * s.out + target;
        const int64_t image = c / g.out_channels * s.in + source;
        for (int64_t i = 0; dx != nullptr && i < count; ++i)
          dx[image + i * step] += w[element] * from[i];
        T sum{0};
        for (int64_t i = 0; dw != nullptr && i < count; ++i) sum += x[image + i * step] * from[i];
        if (dw != nullptr) dw[element] += sum;
      }
    });
  }
}

template <typename T>
void bias_gradient(const ConvGeometry& g, const T* dy, Tensor& db) {
  const int64_t out = output_size(g.windows);
  const int64_t channels = g.group * g.out_channels;
  std::vector<double> sums(at(channels), 0.0);
  for (int64_t c = 0; c < g.batch * channels; ++c) {
    for (int64_t i = 0; i < out; ++i)
      sums[at(c % channels)] += static_cast<double>(dy[c * out + i]);
  }
  auto target = db.mutable_as<T>();
  for (size_t c = 0; c < target.size(); ++c) target[c] = static_cast<T>(sums[c]);
}

template <typename T>
void run_conv(GradientContext& context, const ConvGeometry& g, const std::string& place) {
  const T* x = typed<T>(context.input(0), place).data();
  const T* w = typed<T>(context.input(1), place).data();
  const T* dy = context.dy().as<T>().data();
  if (context.wants(2)) bias_gradient(g, dy, context.allocate(2));
  T* dx = context.wants(0) ? context.zeros(0).mutable_as<T>().data() : nullptr;
  T* dw = context.wants(1) ? context.zeros(1).mutable_as<T>().data() : nullptr;
  if (g.in_channels == 1) return depthwise_gradient(g, x, w, dy, dx, dw);
  if (dx != nullptr) data_gradient(g, w, dy, dx);
  if (dw != nullptr) weight_gradient(g, x, dy, dw);
}

}  // namespace

std::unique_ptr<Gradient> conv_gradient(const Node& node, int64_t) {
  check_arity(node, 2);
  return make_gradient({.inputs = GradientReads::slot(0) | GradientReads::slot(1)},
                       [window = read_window(node), group = node.int_attribute("group", 1),
                        place = node.place()](GradientContext& context) {
                         const ConvGeometry g =
                             conv_geometry(window, group, context.dims(0), context.dims(1), place);
                         dispatch<float, double>(context.dy().type(), place, [&]<typename T>() {
                           run_conv<T>(context, g, place);
                         });
                       });
}

}  // namespace limbeck
