#include "lib/ops/numbers.h"
#include "lib/ops/rows.h"

namespace limbeck {
namespace {

struct CumSum {
  bool exclusive = false;
  bool reverse = false;
  std::string place;
};

template <typename T>
void run_row(const T* x, T* y, int64_t length, int64_t step, const CumSum& op) {
  T sum{0};
  for (int64_t i = 0; i < length; ++i) {
    const int64_t offset = (op.reverse ? length - 1 - i : i) * step;
    const T item = x[offset];
    if (op.exclusive) y[offset] = sum;
    sum = wrapping_add(sum, item);
    if (!op.exclusive) y[offset] = sum;
  }
}

template <typename T>
void run_cum_sum(KernelContext& context, const CumSum& op) {
  const Tensor& x = context.input(0);
  const auto axes = integer_list(context.input(1), op.place);
  check_model(axes.size() == 1, op.place, "axis must be one number; items",
              static_cast<int64_t>(axes.size()));
  const size_t axis = normal_axis(axes[0], x.rank(), op.place);
  const int64_t inner = product(x.dims(), axis + 1, x.rank());
  const int64_t slab = x.dim(axis) * inner;
  const T* source = x.as<T>().data();
  T* target = context.allocate(0, x.type(), x.dims()).template mutable_as<T>().data();
  for (int64_t i = 0; i < product(x.dims(), 0, axis) * inner; ++i) {
    const int64_t start = i / inner * slab + i % inner;
    run_row(source + start, target + start, x.dim(axis), inner, op);
  }
}

}  // namespace

std::unique_ptr<Kernel> cum_sum_kernel(const Node& node, int64_t) {
  check_arity(node, 2);
  const CumSum op{node.int_attribute("exclusive", 0) != 0, node.int_attribute("reverse", 0) != 0,
                  node.place()};
  return make_kernel([op](KernelContext& context) {
    dispatch<float, double, int32_t, int64_t>(context.input(0).type(), op.place,
                                              [&]<typename T>() { run_cum_sum<T>(context, op); });
  });
}

}  // namespace limbeck
