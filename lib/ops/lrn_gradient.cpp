// With s[c] = bias + alpha / size * sum of the squares around c and y[c] = x[c] s[c]^-beta:
// dx[c] = dy[c] s[c]^-beta - 2 alpha beta / size * x[c] * sum of dy[k] y[k] / s[k] over the k whose
// window holds c.
#include <cmath>

#include "lib/ops/gradient_rows.h"
#include "lib/ops/lrn.h"

namespace limbeck {
namespace {

template <typename T>
struct Sample {
  const T* x;
  const T* dy;
  T* dx;
};

/// All channels at one position.
template <typename T>
void run_position(const LrnAttributes& a, const Sample<T>& sample, int64_t channels, int64_t step) {
  const auto weight = static_cast<T>(a.alpha / static_cast<float>(a.size));
  const auto beta = static_cast<T>(a.beta);
  for (int64_t c = 0; c < channels; ++c) sample.dx[c * step] = T{0};
  for (int64_t c = 0; c < channels; ++c) {
    const auto [first, last] = lrn_channels(a, c, channels);
    T sum = 0;
    for (int64_t k = first; k <= last; ++k) sum += sample.x[k * step] * sample.x[k * step];
    const T base = static_cast<T>(a.bias) + weight * sum;
    const T share = sample.dy[c * step] * std::pow(base, -beta);
    sample.dx[c * step] += share;
    const T pull = T{2} * weight * beta * share * sample.x[c * step] / base;
    for (int64_t k = first; k <= last; ++k) sample.dx[k * step] -= pull * sample.x[k * step];
  }
}

}  // namespace

std::unique_ptr<Gradient> lrn_gradient(const Node& node, int64_t) {
  check_arity(node, 1);
  return make_gradient(
      {.inputs = GradientReads::slot(0)},
      [attributes = read_lrn(node), place = node.place()](GradientContext& context) {
        if (!context.wants(0)) return;
        const Dims& dims = context.dims(0);
        const int64_t inner = product(dims, 2, dims.size());
        dispatch<float, double>(context.dy().type(), place, [&]<typename T>() {
          const T* x = typed<T>(context.input(0), place).data();
          const T* dy = context.dy().as<T>().data();
          T* dx = context.allocate(0).mutable_as<T>().data();
          for (int64_t i = 0; i < dims[0] * inner; ++i) {
            const int64_t start = i / inner * dims[1] * inner + i % inner;
            run_position(attributes, Sample<T>{x + start, dy + start, dx + start}, dims[1], inner);
          }
        });
      });
}

}  // namespace limbeck
