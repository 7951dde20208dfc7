// Local response normalization across channels.
#include <algorithm>
#include <cmath>

#include "lib/ops/rows.h"

namespace limbeck {
namespace {

struct LrnAttributes {
  int64_t size = 1;
  float alpha = 0;
  float beta = 0;
  float bias = 0;
};

LrnAttributes read_lrn(const Node& node) {
  const int64_t size = node.int_attribute("size", 0);
  check_model(size > 0, node.place(), "size must be positive", size);
  return {size, node.float_attribute("alpha", 1e-4F), node.float_attribute("beta", 0.75F),
          node.float_attribute("bias", 1.0F)};
}

/// Normalizes channel `c` of one sample by the channels around it.
void normalize_channel(const LrnAttributes& a, const float* x, float* y, int64_t c,
                       int64_t channels, int64_t inner) {
  const int64_t first = std::max<int64_t>(0, c - (a.size - 1) / 2);
  const int64_t last = std::min(channels - 1, c + std::min(a.size / 2, channels));
  for (int64_t i = 0; i < inner; ++i) {
    float sum = 0;
    for (int64_t k = first; k <= last; ++k) sum += x[k * inner + i] * x[k * inner + i];
    const float divisor = std::pow(a.bias + a.alpha / static_cast<float>(a.size) * sum, a.beta);
    y[c * inner + i] = x[c * inner + i] / divisor;
  }
}

}  // namespace

std::unique_ptr<Kernel> lrn_kernel(const Node& node, int64_t) {
  check_arity(node, 1);
  return make_kernel([attributes = read_lrn(node), place = node.place()](KernelContext& context) {
    const Tensor& x = context.input(0);
    if (x.rank() < 2) fail_model(place, "the input must have rank 2 or more", dims_text(x.dims()));
    const float* source = typed<float>(x, place).data();
    float* target = context.allocate(0, x.type(), x.dims()).mutable_as<float>().data();
    const int64_t channels = x.dim(1);
    const int64_t inner = product(x.dims(), 2, x.rank());
    for (int64_t i = 0; i < x.dim(0) * channels; ++i) {
      const int64_t sample = i / channels * channels * inner;
      normalize_channel(attributes, source + sample, target + sample, i % channels, channels,
                        inner);
    }
  });
}

}  // namespace limbeck
