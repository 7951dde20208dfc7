// The transpose of a running sum is the running sum in the other direction.
#include "lib/ops/common.h"
#include "lib/ops/gradient_rows.h"

namespace limbeck {
namespace {

template <typename T>
void run_row(const T* from, T* to, int64_t length, int64_t step, bool exclusive, bool backwards) {
  T sum{0};
  for (int64_t i = 0; i < length; ++i) {
    const int64_t offset = (backwards ? length - 1 - i : i) * step;
    if (exclusive) to[offset] = sum;
    sum += from[offset];
    if (!exclusive) to[offset] = sum;
  }
}

}  // namespace

std::unique_ptr<Gradient> cum_sum_gradient(const Node& node, int64_t) {
  check_arity(node, 2);
  const bool exclusive = node.int_attribute("exclusive", 0) != 0;
  const bool reverse = node.int_attribute("reverse", 0) != 0;
  return make_gradient({.inputs = GradientReads::slot(1)},
                       [exclusive, reverse, place = node.place()](GradientContext& context) {
                         if (!context.wants(0)) return;
                         const Dims& dims = context.dims(0);
                         const auto axes = integer_list(context.input(1), place);
                         const size_t axis = normal_axis(axes.at(0), dims.size(), place);
                         const int64_t inner = product(dims, axis + 1, dims.size());
                         const int64_t rows = product(dims, 0, axis) * inner;
                         dispatch<float, double>(context.dy().type(), place, [&]<typename T>() {
                           const T* from = context.dy().as<T>().data();
                           T* to = context.allocate(0).mutable_as<T>().data();
                           for (int64_t i = 0; i < rows; ++i) {
                             const int64_t start = i / inner * dims[axis] * inner + i % inner;
                             run_row(from + start, to + start, dims[axis], inner, exclusive,
                                     !reverse);
                           }
                         });
                       });
}

}  // namespace limbeck
