// Gradients of InstanceNormalization and LayerNormalization. A row has mean 0 and variance 1 before
// scale and bias: with xhat the normalized row and g = scale * dy,
// dx = inv_std * (g - mean(g) - xhat * mean(g xhat)).
#include <cmath>

#include "lib/ops/broadcast_gradient.h"
#include "lib/ops/gradient_rows.h"

namespace limbeck {
namespace {

/// One row of doubles: what both operators compute with.
struct RowGradient {
  std::vector<double> normal;
  double inverse = 0;
};

template <typename T>
RowGradient normalize(const T* x, int64_t length, double epsilon) {
  const auto n = static_cast<double>(length);
  double mean = 0;
  for (int64_t i = 0; i < length; ++i) mean += static_cast<double>(x[i]) / n;
  double variance = 0;
  RowGradient row;
  for (int64_t i = 0; i < length; ++i) {
    row.normal.push_back(static_cast<double>(x[i]) - mean);
    variance += row.normal.back() * row.normal.back() / n;
  }
  row.inverse = 1.0 / std::sqrt(variance + epsilon);
  for (double& item : row.normal) item *= row.inverse;
  return row;
}

/// `scaled` holds scale * dy.
template <typename T>
void row_gradient(const RowGradient& row, const std::vector<double>& scaled, T* dx) {
  double even = 0;
  double along = 0;
  const auto n = static_cast<double>(scaled.size());
  for (size_t i = 0; i < scaled.size(); ++i) {
    even += scaled[i] / n;
    along += scaled[i] * row.normal[i] / n;
  }
  for (size_t i = 0; i < scaled.size(); ++i)
    dx[i] = static_cast<T>(row.inverse * (scaled[i] - even - row.normal[i] * along));
}

template <typename T>
void run_instance_norm(GradientContext& context, double epsilon, const std::string& place) {
  const Tensor& x = context.input(0);
  const auto scale = typed<T>(context.input(1), place);
  const T* dy = context.dy().as<T>().data();
  const int64_t inner = product(x.dims(), 2, x.rank());
  std::vector<T> dx(at(x.count()));
  std::vector<double> scales(scale.size(), 0.0);
  std::vector<double> biases(scale.size(), 0.0);
  std::vector<double> scaled(at(inner));
  for (int64_t plane = 0; plane < x.dim(0) * x.dim(1); ++plane) {
    const size_t c = at(plane % x.dim(1));
    const RowGradient row = normalize(x.as<T>().data() + plane * inner, inner, epsilon);
    for (size_t i = 0; i < scaled.size(); ++i) {
      const auto from = static_cast<double>(dy[plane * inner + static_cast<int64_t>(i)]);
      scales[c] += from * row.normal[i];
      biases[c] += from;
      scaled[i] = from * static_cast<double>(scale[c]);
    }
    row_gradient(row, scaled, dx.data() + plane * inner);
  }
  const Dims channels{x.dim(1)};
  if (context.wants(0)) context.set_gradient(0, Tensor::from<T>(x.dims(), dx));
  if (context.wants(1))
    context.set_gradient(1, Tensor::from<T>(channels, {scales.begin(), scales.end()}));
  if (context.wants(2))
    context.set_gradient(2, Tensor::from<T>(channels, {biases.begin(), biases.end()}));
}

/// Scale and bias broadcast to one row; their gradients are summed back.
template <typename T>
void run_layer_norm(GradientContext& context, int64_t axis_attribute, double epsilon,
                    const std::string& place) {
  const Tensor& x = context.input(0);
  const size_t axis = normal_axis(axis_attribute, x.rank(), place);
  const Dims dims(x.dims().begin() + static_cast<std::ptrdiff_t>(axis), x.dims().end());
  const Tensor spread = spread_to(context.input(1), dims, place);
  const auto scale = typed<T>(spread, place);
  const int64_t length = product(dims, 0, dims.size());
  const T* dy = context.dy().as<T>().data();
  std::vector<T> dx(at(x.count()));
  std::vector<double> scales(at(length), 0.0);
  std::vector<double> biases(at(length), 0.0);
  std::vector<double> scaled(at(length));
  for (int64_t r = 0; r < product(x.dims(), 0, axis); ++r) {
    const RowGradient row = normalize(x.as<T>().data() + r * length, length, epsilon);
    for (size_t i = 0; i < scaled.size(); ++i) {
      const auto from = static_cast<double>(dy[r * length + static_cast<int64_t>(i)]);
      scales[i] += from * row.normal[i];
      biases[i] += from;
      scaled[i] = from * static_cast<double>(scale[i]);
    }
    row_gradient(row, scaled, dx.data() + r * length);
  }
  const auto parameter = [&](const std::vector<double>& sums, size_t input) {
    const Tensor whole = Tensor::from<T>(dims, {sums.begin(), sums.end()});
    return reduce_to(whole, context.dims(input), place);
  };
  if (context.wants(0)) context.set_gradient(0, Tensor::from<T>(x.dims(), dx));
  if (context.wants(1)) context.set_gradient(1, parameter(scales, 1));
  if (context.wants(2)) context.set_gradient(2, parameter(biases, 2));
}

/// The mean and deviation outputs of LayerNormalization are for training frameworks.
void refuse_statistics(const GradientContext& context, const std::string& place) {
  for (const size_t i : {size_t{1}, size_t{2}}) {
    if (context.output_gradient(i) != nullptr)
      fail_unsupported(place, "only the first output has a gradient",
                       "a gradient of output " + std::to_string(i));
  }
}

constexpr uint64_t kDataAndScale = GradientReads::slot(0) | GradientReads::slot(1);

}  // namespace

std::unique_ptr<Gradient> instance_normalization_gradient(const Node& node, int64_t) {
  check_arity(node, 3);
  const auto epsilon = static_cast<double>(node.float_attribute("epsilon", 1e-5F));
  return make_gradient({.inputs = kDataAndScale},
                       [epsilon, place = node.place()](GradientContext& context) {
                         dispatch<float, double>(context.dy().type(), place, [&]<typename T>() {
                           run_instance_norm<T>(context, epsilon, place);
                         });
                       });
}

std::unique_ptr<Gradient> layer_normalization_gradient(const Node& node, int64_t) {
  check_arity(node, 2);
  const auto epsilon = static_cast<double>(node.float_attribute("epsilon", 1e-5F));
  const int64_t axis = node.int_attribute("axis", -1);
  return make_gradient({.inputs = kDataAndScale},
                       [axis, epsilon, place = node.place()](GradientContext& context) {
                         refuse_statistics(context, place);
                         dispatch<float, double>(context.dy().type(), place, [&]<typename T>() {
                           run_layer_norm<T>(context, axis, epsilon, place);
                         });
                       });
}

}  // namespace limbeck
