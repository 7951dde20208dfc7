#include <cmath>

#include "lib/ops/rows.h"

namespace limbeck {
namespace {

template <typename T>
void normalize_plane(const T* x, T* y, int64_t n, double scale, double bias, double epsilon) {
  double sum = 0;
  for (int64_t i = 0; i < n; ++i) sum += static_cast<double>(x[i]);
  const double mean = sum / static_cast<double>(n);
  double squares = 0;
  for (int64_t i = 0; i < n; ++i)
    squares += (static_cast<double>(x[i]) - mean) * (static_cast<double>(x[i]) - mean);
  const double factor = scale / std::sqrt(squares / static_cast<double>(n) + epsilon);
  for (int64_t i = 0; i < n; ++i)
    y[i] = static_cast<T>((static_cast<double>(x[i]) - mean) * factor + bias);
}

template <typename T>
void run_instance_norm(KernelContext& context, double epsilon, const std::string& place) {
  const Tensor& x = context.input(0);
  if (x.rank() < 2) fail_model(place, "the input must have rank 2 or more", dims_text(x.dims()));
  const auto scale = typed<T>(context.input(1), place);
  const auto bias = typed<T>(context.input(2), place);
  const int64_t channels = x.dim(1);
  if (static_cast<int64_t>(scale.size()) != channels || bias.size() != scale.size()) {
    fail_model(place, "scale and bias must have one item a channel",
               dims_text(context.input(1).dims()));
  }
  const int64_t inner = product(x.dims(), 2, x.rank());
  T* y = context.allocate(0, x.type(), x.dims()).template mutable_as<T>().data();
  for (int64_t i = 0; i < x.dim(0) * channels; ++i) {
    const size_t c = at(i % channels);
    normalize_plane(x.as<T>().data() + i * inner, y + i * inner, inner,
                    static_cast<double>(scale[c]), static_cast<double>(bias[c]), epsilon);
  }
}

}  // namespace

std::unique_ptr<Kernel> instance_normalization_kernel(const Node& node, int64_t) {
  check_arity(node, 3);
  const auto epsilon = static_cast<double>(node.float_attribute("epsilon", 1e-5F));
  return make_kernel([epsilon, place = node.place()](KernelContext& context) {
    dispatch<float, double>(context.input(0).type(), place,
                            [&]<typename T>() { run_instance_norm<T>(context, epsilon, place); });
  });
}

}  // namespace limbeck
