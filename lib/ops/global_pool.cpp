#include <limits>

#include "lib/ops/numbers.h"
#include "lib/ops/rows.h"

namespace limbeck {
namespace {

template <typename F>
std::unique_ptr<Kernel> global_pool(const Node& node, F summary) {
  check_arity(node, 1);
  return make_kernel([summary, place = node.place()](KernelContext& context) {
    const Tensor& x = context.input(0);
    if (x.rank() < 2) fail_model(place, "the input must have rank 2 or more", dims_text(x.dims()));
    Dims dims(x.rank(), 1);
    dims[0] = x.dim(0);
    dims[1] = x.dim(1);
    const auto plane = at(product(x.dims(), 2, x.rank()));
    dispatch<float, double>(x.type(), place, [&]<typename T>() {
      auto y = context.allocate(0, x.type(), dims).template mutable_as<T>();
      for (size_t i = 0; i < y.size(); ++i) y[i] = summary(x.as<T>().subspan(i * plane, plane));
    });
  });
}

}  // namespace

void global_pool_shape(const ShapeContext& context) {
  same_type_only(context);
  const Shape* input = context.shape(0);
  if (input == nullptr) return;
  if (input->size() < 2)
    fail_model(context.node.place(), "the input must have rank 2 or more", shape_text(*input));
  Shape output(input->size(), Dim{1, ""});
  output[0] = (*input)[0];
  output[1] = (*input)[1];
  context.set(0, DataType::kUndefined, std::move(output));
}

std::unique_ptr<Kernel> global_average_pool_kernel(const Node& node, int64_t) {
  return global_pool(node, []<typename T>(std::span<const T> plane) {
    double sum = 0;
    for (const T item : plane) sum += static_cast<double>(item);
    return static_cast<T>(sum / static_cast<double>(plane.size()));
  });
}

std::unique_ptr<Kernel> global_max_pool_kernel(const Node& node, int64_t) {
  return global_pool(node, []<typename T>(std::span<const T> plane) {
    T largest = -std::numeric_limits<T>::infinity();
    for (const T item : plane) largest = larger(largest, item);
    return largest;
  });
}

}  // namespace limbeck
