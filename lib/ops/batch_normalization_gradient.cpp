// Gradient of BatchNormalization: stored statistics are constants like any other input. With
// training_mode (opset 14) the statistics are those of the batch.
#include <cmath>

#include "lib/ops/batch_normalization_training.h"
#include "lib/ops/common.h"
#include "lib/ops/gradient_rows.h"

namespace limbeck {
namespace {

struct ChannelSums {
  std::vector<double> dy;
  std::vector<double> dy_distance;  ///< sum of dy * (x - mean)
};

template <typename T>
ChannelSums channel_sums(const Tensor& x, const Tensor& mean, const Tensor& dy, int64_t inner) {
  const auto channels = at(x.dim(1));
  ChannelSums sums{std::vector<double>(channels, 0.0), std::vector<double>(channels, 0.0)};
  const auto values = x.as<T>();
  const auto from = dy.as<T>();
  const auto centre = mean.as<T>();
  for (int64_t plane = 0; plane < x.dim(0) * x.dim(1); ++plane) {
    const size_t c = at(plane) % channels;
    for (size_t i = at(plane * inner); i < at((plane + 1) * inner); ++i) {
      sums.dy[c] += static_cast<double>(from[i]);
      sums.dy_distance[c] += static_cast<double>(from[i] * (values[i] - centre[c]));
    }
  }
  return sums;
}

template <typename T>
void set_channels(GradientContext& context, size_t input, const std::vector<double>& values) {
  if (!context.wants(input)) return;
  auto target = context.allocate(input).mutable_as<T>();
  for (size_t c = 0; c < target.size(); ++c) target[c] = static_cast<T>(values[c]);
}

template <typename T>
void run_stored(GradientContext& context, double epsilon, const std::string& place) {
  const Tensor& x = context.input(0);
  const Tensor& dy = context.dy();
  const auto scale = typed<T>(context.input(1), place);
  const auto variance = typed<T>(context.input(4), place);
  const int64_t inner = product(x.dims(), 2, x.rank());
  const ChannelSums sums = channel_sums<T>(x, context.input(3), dy, inner);
  const size_t channels = sums.dy.size();
  std::vector<double> slope(channels);
  std::vector<double> scales(channels);
  std::vector<double> means(channels);
  std::vector<double> variances(channels);
  for (size_t c = 0; c < channels; ++c) {
    const double inverse = 1.0 / std::sqrt(static_cast<double>(variance[c]) + epsilon);
    slope[c] = static_cast<double>(scale[c]) * inverse;
    scales[c] = sums.dy_distance[c] * inverse;
    means[c] = -slope[c] * sums.dy[c];
    variances[c] = -0.5 * slope[c] * inverse * inverse * sums.dy_distance[c];
  }
  set_channels<T>(context, 1, scales);
  set_channels<T>(context, 2, sums.dy);
  set_channels<T>(context, 3, means);
  set_channels<T>(context, 4, variances);
  if (!context.wants(0)) return;
  T* dx = context.allocate(0).mutable_as<T>().data();
  for (int64_t plane = 0; plane < x.dim(0) * x.dim(1); ++plane) {
    const auto factor = static_cast<T>(slope[at(plane) % channels]);
    for (int64_t i = plane * inner; i < (plane + 1) * inner; ++i)
      dx[i] = dy.as<T>()[at(i)] * factor;
  }
}

/// The running statistics are outputs that nothing differentiates.
void run_batch(GradientContext& context, double epsilon, const std::string& place) {
  const Tensor& x = context.input(0);
  const Tensor& scale = context.input(1);
  const BatchNormResult forward = batch_norm_forward(x, scale, context.input(2), epsilon, place);
  BatchNormGradients gradients = batch_norm_backward(x, scale, forward.mean, forward.inv_std,
                                                     context.dy(), context.wants(0), place);
  if (context.wants(0)) context.set_gradient(0, std::move(gradients.x));
  if (context.wants(1)) context.set_gradient(1, std::move(gradients.scale));
  if (context.wants(2)) context.set_gradient(2, std::move(gradients.bias));
}

}  // namespace

std::unique_ptr<Gradient> batch_normalization_gradient(const Node& node, int64_t) {
  check_arity(node, 5);
  const auto epsilon = static_cast<double>(node.float_attribute("epsilon", 1e-5F));
  if (node.int_attribute("training_mode", 0) != 0) {
    return make_gradient({.inputs = GradientReads::kAll},
                         [epsilon, place = node.place()](GradientContext& context) {
                           run_batch(context, epsilon, place);
                         });
  }
  const uint64_t all_but_bias = ~GradientReads::slot(2);
  return make_gradient(
      {.inputs = all_but_bias}, [epsilon, place = node.place()](GradientContext& context) {
        dispatch<float, double>(context.dy().type(), place,
                                [&]<typename T>() { run_stored<T>(context, epsilon, place); });
      });
}

}  // namespace limbeck
