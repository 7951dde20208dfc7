// Local response normalization across channels.
#include "lib/ops/lrn.h"

#include <algorithm>
#include <cmath>

#include "lib/ops/rows.h"

namespace limbeck {
namespace {

/// Normalizes channel `c` of one sample by the channels around it.
template <typename T>
void normalize_channel(const LrnAttributes& a, const T* x, T* y, int64_t c, int64_t channels,
                       int64_t inner) {
  const auto [first, last] = lrn_channels(a, c, channels);
  for (int64_t i = 0; i < inner; ++i) {
    T sum = 0;
    for (int64_t k = first; k <= last; ++k) sum += x[k * inner + i] * x[k * inner + i];
    const T weight = static_cast<T>(a.alpha / static_cast<float>(a.size));
    const T divisor = std::pow(static_cast<T>(a.bias) + weight * sum, static_cast<T>(a.beta));
    y[c * inner + i] = x[c * inner + i] / divisor;
  }
}

}  // namespace

LrnAttributes read_lrn(const Node& node) {
  const int64_t size = node.int_attribute("size", 0);
  check_model(size > 0, node.place(), "size must be positive", size);
  return {size, node.float_attribute("alpha", 1e-4F), node.float_attribute("beta", 0.75F),
          node.float_attribute("bias", 1.0F)};
}

std::unique_ptr<Kernel> lrn_kernel(const Node& node, int64_t) {
  check_arity(node, 1);
  return make_kernel([attributes = read_lrn(node), place = node.place()](KernelContext& context) {
    const Tensor& x = context.input(0);
    if (x.rank() < 2) fail_model(place, "the input must have rank 2 or more", dims_text(x.dims()));
    const int64_t channels = x.dim(1);
    const int64_t inner = product(x.dims(), 2, x.rank());
    dispatch<float, double>(x.type(), place, [&]<typename T>() {
      const T* source = x.as<T>().data();
      T* target = context.allocate(0, x.type(), x.dims()).template mutable_as<T>().data();
      for (int64_t i = 0; i < x.dim(0) * channels; ++i) {
        const int64_t sample = i / channels * channels * inner;
        normalize_channel(attributes, source + sample, target + sample, i % channels, channels,
                          inner);
      }
    });
  });
}

}  // namespace limbeck
