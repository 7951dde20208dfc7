#include <cmath>

#include "lib/ops/rows.h"

namespace limbeck {
namespace {

template <typename T>
void run_batch_norm(KernelContext& context, float epsilon, const std::string& place) {
  const Tensor& x = context.input(0);
  if (x.rank() < 2) fail_model(place, "the input must have rank 2 or more", dims_text(x.dims()));
  const int64_t channels = x.dim(1);
  std::span<const T> parameters[4];  // scale, bias, mean, variance
  for (size_t i = 0; i < 4; ++i) {
    parameters[i] = typed<T>(context.input(i + 1), place);
    check_model(static_cast<int64_t>(parameters[i].size()) == channels, place,
                "each parameter must have one item a channel",
                static_cast<int64_t>(parameters[i].size()));
  }
  const int64_t inner = product(x.dims(), 2, x.rank());
  const T* source = x.as<T>().data();
  T* target = context.allocate(0, x.type(), x.dims()).template mutable_as<T>().data();
  for (int64_t i = 0; i < x.dim(0) * channels; ++i, source += inner, target += inner) {
    const size_t c = at(i % channels);
    const T factor = parameters[0][c] / std::sqrt(parameters[3][c] + static_cast<T>(epsilon));
    const T shift = parameters[1][c] - parameters[2][c] * factor;
    for (int64_t j = 0; j < inner; ++j) target[j] = source[j] * factor + shift;
  }
}

}  // namespace

std::unique_ptr<Kernel> batch_normalization_kernel(const Node& node, int64_t) {
  check_arity(node, 5);
  if (node.int_attribute("training_mode", 0) != 0)
    fail_unsupported(node.place(), "training_mode must be 0", "1");
  if (node.int_attribute("spatial", 1) != 1)
    fail_unsupported(node.place(), "spatial must be 1", "0");
  return make_kernel([epsilon = node.float_attribute("epsilon", 1e-5F),
                      place = node.place()](KernelContext& context) {
    dispatch<float, double>(context.input(0).type(), place,
                            [&]<typename T>() { run_batch_norm<T>(context, epsilon, place); });
  });
}

}  // namespace limbeck
