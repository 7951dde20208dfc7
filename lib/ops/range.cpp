#include <cmath>

#include "lib/ops/rows.h"

namespace limbeck {
namespace {

constexpr double kMaxItems = 1e9;

template <typename T>
int64_t range_count(T start, T limit, T delta, const std::string& place) {
  const double count = std::ceil((static_cast<double>(limit) - static_cast<double>(start)) /
                                 static_cast<double>(delta));
  if (delta == T{0} || !(count < kMaxItems)) {
    fail_model(place, "delta must not be zero and the range must have fewer than 1e9 items",
               std::to_string(delta));
  }
  return count > 0 ? static_cast<int64_t>(count) : 0;
}

template <typename T>
T scalar(const Tensor& tensor, const std::string& place) {
  check_model(tensor.count() == 1, place, "start, limit and delta must be scalars; items",
              tensor.count());
  return typed<T>(tensor, place)[0];
}

template <typename T>
void run_range(KernelContext& context, const std::string& place) {
  const T start = scalar<T>(context.input(0), place);
  const T delta = scalar<T>(context.input(2), place);
  const int64_t count = range_count(start, scalar<T>(context.input(1), place), delta, place);
  auto y = context.allocate(0, data_type_of<T>(), {count}).template mutable_as<T>();
  T item = start;
  for (size_t i = 0; i < y.size(); ++i) {
    y[i] = item;
    if (i + 1 < y.size()) item = static_cast<T>(item + delta);
  }
}

}  // namespace

void range_shape(const ShapeContext& context) {
  same_type_only(context);
  const Tensor* bounds[3] = {context.constant(0), context.constant(1), context.constant(2)};
  if (bounds[0] == nullptr || bounds[1] == nullptr || bounds[2] == nullptr) {
    return context.set(0, DataType::kUndefined, Shape(1));
  }
  const std::string place = context.node.place();
  dispatch<float, double, int16_t, int32_t, int64_t>(bounds[0]->type(), place, [&]<typename T>() {
    const int64_t count = range_count(scalar<T>(*bounds[0], place), scalar<T>(*bounds[1], place),
                                      scalar<T>(*bounds[2], place), place);
    context.set(0, DataType::kUndefined, {{count, ""}});
  });
}

std::unique_ptr<Kernel> range_kernel(const Node& node, int64_t) {
  check_arity(node, 3);
  return make_kernel([place = node.place()](KernelContext& context) {
    dispatch<float, double, int16_t, int32_t, int64_t>(
        context.input(0).type(), place, [&]<typename T>() { run_range<T>(context, place); });
  });
}

}  // namespace limbeck
