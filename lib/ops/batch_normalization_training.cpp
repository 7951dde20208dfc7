#include "lib/ops/batch_normalization_training.h"

#include <algorithm>
#include <cmath>

#include "lib/ops/common.h"

namespace limbeck {
namespace {

/// Planes of x in memory order: sample by sample, channel by channel.
struct Planes {
  int64_t batch = 0;
  int64_t channels = 0;
  int64_t inner = 1;
  double count() const { return static_cast<double>(batch * inner); }
};

Planes planes_of(const Tensor& x, const Tensor& parameter, const std::string& place) {
  if (x.rank() < 2) fail_model(place, "the input must have rank 2 or more", dims_text(x.dims()));
  const Planes planes{x.dim(0), x.dim(1), product(x.dims(), 2, x.rank())};
  check_model(parameter.count() == planes.channels, place,
              "each parameter must have one item a channel", parameter.count());
  check_model(planes.batch * planes.inner > 0, place,
              "batch statistics need at least one element a channel", 0);
  return planes;
}

/// Calls f(channel, first element, count) for every run of elements of one channel.
template <typename F>
void for_each_run_of(const Planes& p, F f) {
  int64_t first = 0;
  for (int64_t n = 0; n < p.batch; ++n) {
    for (int64_t c = 0; c < p.channels; ++c, first += p.inner) f(at(c), at(first), at(p.inner));
  }
}

/// Channels-last, or a matrix: short partial sums in T, so that a loop over channels is all there
/// is, and double across them.
template <typename T, typename F>
void sum_rows(const Planes& p, std::vector<double>& sums, F f) {
  constexpr int64_t kRows = 16;
  std::vector<T> partial(sums.size());
  size_t i = 0;
  for (int64_t first = 0; first < p.batch; first += kRows) {
    std::fill(partial.begin(), partial.end(), T{0});
    for (int64_t n = first; n < std::min(first + kRows, p.batch); ++n, i += sums.size()) {
      for (size_t c = 0; c < sums.size(); ++c) partial[c] += f(c, i + c);
    }
    for (size_t c = 0; c < sums.size(); ++c) sums[c] += static_cast<double>(partial[c]);
  }
}

/// sums[c] = sum of f(channel, element) over all elements of the channel.
template <typename T, typename F>
std::vector<double> sum_channels(const Planes& p, F f) {
  std::vector<double> sums(at(p.channels), 0.0);
  if (p.inner == 1) {
    sum_rows<T>(p, sums, f);
    return sums;
  }
  for_each_run_of(p, [&](size_t c, size_t first, size_t count) {
    double sum = 0;
    for (size_t i = first; i < first + count; ++i) sum += static_cast<double>(f(c, i));
    sums[c] += sum;
  });
  return sums;
}

/// target[i] = f(channel, element).
template <typename T, typename F>
Tensor fill_planes(const Planes& p, const Dims& dims, F f) {
  Tensor result = Tensor::allocate(data_type_of<T>(), dims);
  T* target = result.mutable_as<T>().data();
  if (p.inner == 1) {
    size_t i = 0;
    for (int64_t n = 0; n < p.batch; ++n)
      for (size_t c = 0; c < at(p.channels); ++c, ++i) target[i] = f(c, i);
    return result;
  }
  for_each_run_of(p, [&](size_t c, size_t first, size_t count) {
    for (size_t i = first; i < first + count; ++i) target[i] = f(c, i);
  });
  return result;
}

template <typename T>
Tensor per_channel(const std::vector<double>& values) {
  return Tensor::from<T>({static_cast<int64_t>(values.size())},
                         std::vector<T>(values.begin(), values.end()));
}

template <typename T>
BatchNormResult forward(const Tensor& x, const Tensor& scale, const Tensor& bias, double epsilon,
                        const Planes& p, const std::string& place) {
  const auto values = x.as<T>();
  std::vector<double> mean = sum_channels<T>(p, [&](size_t, size_t i) { return values[i]; });
  for (double& item : mean) item /= p.count();
  const std::vector<T> centre(mean.begin(), mean.end());
  std::vector<double> variance = sum_channels<T>(p, [&](size_t c, size_t i) {
    const T distance = values[i] - centre[c];
    return distance * distance;
  });
  std::vector<double> inv_std;
  for (double& item : variance) {
    item /= p.count();
    inv_std.push_back(1.0 / std::sqrt(item + epsilon));
  }
  std::vector<T> factor;
  std::vector<T> shift;
  for (size_t c = 0; c < mean.size(); ++c) {
    const double slope = static_cast<double>(typed<T>(scale, place)[c]) * inv_std[c];
    factor.push_back(static_cast<T>(slope));
    shift.push_back(
        static_cast<T>(static_cast<double>(typed<T>(bias, place)[c]) - mean[c] * slope));
  }
  return {fill_planes<T>(p, x.dims(),
                         [&](size_t c, size_t i) { return values[i] * factor[c] + shift[c]; }),
          per_channel<T>(mean), per_channel<T>(variance), per_channel<T>(inv_std)};
}

/// With xhat = (x - mean) * inv_std: dx = scale * inv_std * (dy - sum(dy)/n - xhat * sum(dy
/// xhat)/n).
template <typename T>
BatchNormGradients backward(const Tensor& x, const Tensor& scale, const Tensor& mean,
                            const Tensor& inv_std, const Tensor& dy, bool wants_x, const Planes& p,
                            const std::string& place) {
  const auto values = typed<T>(x, place);
  const auto from = typed<T>(dy, place);
  const auto centre = typed<T>(mean, place);
  const auto inverse = typed<T>(inv_std, place);
  const auto normal = [&](size_t c, size_t i) { return (values[i] - centre[c]) * inverse[c]; };
  const auto bias_sums = sum_channels<T>(p, [&](size_t, size_t i) { return from[i]; });
  const auto scale_sums =
      sum_channels<T>(p, [&](size_t c, size_t i) { return from[i] * normal(c, i); });
  BatchNormGradients result{{}, per_channel<T>(scale_sums), per_channel<T>(bias_sums)};
  if (!wants_x) return result;
  const auto slopes = typed<T>(scale, place);
  std::vector<T> even;
  std::vector<T> along;
  for (size_t c = 0; c < bias_sums.size(); ++c) {
    even.push_back(static_cast<T>(bias_sums[c] / p.count()));
    along.push_back(static_cast<T>(scale_sums[c] / p.count()));
  }
  result.x = fill_planes<T>(p, x.dims(), [&](size_t c, size_t i) {
    return slopes[c] * inverse[c] * (from[i] - even[c] - normal(c, i) * along[c]);
  });
  return result;
}

}  // namespace

BatchNormResult batch_norm_forward(const Tensor& x, const Tensor& scale, const Tensor& bias,
                                   double epsilon, const std::string& place) {
  const Planes planes = planes_of(x, scale, place);
  planes_of(x, bias, place);
  BatchNormResult result;
  dispatch<float, double>(x.type(), place, [&]<typename T>() {
    result = forward<T>(x, scale, bias, epsilon, planes, place);
  });
  return result;
}

BatchNormGradients batch_norm_backward(const Tensor& x, const Tensor& scale, const Tensor& mean,
                                       const Tensor& inv_std, const Tensor& dy, bool wants_x,
                                       const std::string& place) {
  const Planes planes = planes_of(x, scale, place);
  BatchNormGradients result;
  dispatch<float, double>(x.type(), place, [&]<typename T>() {
    result = backward<T>(x, scale, mean, inv_std, dy, wants_x, planes, place);
  });
  return result;
}

}  // namespace limbeck
