// Gradient of ConvTranspose: with the result's gradient as image, a convolution.
#include "lib/ops/conv_core.h"
#include "lib/ops/conv_transpose.h"
#include "lib/ops/gemm_core.h"
#include "lib/ops/gradient_rows.h"

namespace limbeck {
namespace {

template <typename T>
void bias_gradient(const TransposeGeometry& g, const T* dy, Tensor& db) {
  const int64_t image = input_size(g.windows);
  std::vector<double> sums(at(g.output[1]), 0.0);
  for (int64_t c = 0; c < g.output[0] * g.output[1]; ++c) {
    for (int64_t i = 0; i < image; ++i)
      sums[at(c % g.output[1])] += static_cast<double>(dy[c * image + i]);
  }
  auto target = db.mutable_as<T>();
  for (size_t c = 0; c < target.size(); ++c) target[c] = static_cast<T>(sums[c]);
}

template <typename T>
void run_transpose(GradientContext& context, const TransposeAttributes& a) {
  const TransposeGeometry g = transpose_geometry(a, context.dims(0), context.dims(1));
  const T* x = typed<T>(context.input(0), a.place).data();
  const T* w = typed<T>(context.input(1), a.place).data();
  const T* dy = context.dy().as<T>().data();
  if (context.wants(2)) bias_gradient(g, dy, context.allocate(2));
  T* dx = context.wants(0) ? context.zeros(0).mutable_as<T>().data() : nullptr;
  T* dw = context.wants(1) ? context.zeros(1).mutable_as<T>().data() : nullptr;
  const int64_t x_size = output_size(g.windows);
  const int64_t image = input_size(g.windows);
  const int64_t rows = g.out_channels * kernel_size(g.windows);
  std::vector<T> columns(at(rows * x_size));
  for (int64_t i = 0; i < g.output[0] * a.group; ++i) {
    const int64_t weight = i % a.group * g.in_channels * rows;
    const int64_t data = i * g.in_channels * x_size;
    image_to_columns(g.windows, g.out_channels, dy + i * g.out_channels * image, columns.data());
    if (dx != nullptr)
      multiply_add(w + weight, columns.data(), dx + data, g.in_channels, rows, x_size);
    if (dw == nullptr) continue;
    const auto turned = transposed(columns.data(), rows, x_size);
    multiply_add(x + data, turned.data(), dw + weight, g.in_channels, x_size, rows);
  }
}

}  // namespace

std::unique_ptr<Gradient> conv_transpose_gradient(const Node& node, int64_t) {
  check_arity(node, 2);
  return make_gradient({.inputs = GradientReads::slot(0) | GradientReads::slot(1)},
                       [attributes = read_transpose(node)](GradientContext& context) {
                         dispatch<float, double>(
                             context.dy().type(), attributes.place,
                             [&]<typename T>() { run_transpose<T>(context, attributes); });
                       });
}

}  // namespace limbeck
