// TopK: k is an attribute before opset 10, an input from then on. Equal items keep their order.
#include <algorithm>
#include <numeric>

#include "lib/ops/rows.h"

namespace limbeck {
namespace {

struct TopK {
  int64_t axis = -1;
  int64_t k = -1;  ///< below zero: input 1 tells
  bool largest = true;
  std::string place;
};

TopK read_top_k(const Node& node) {
  return {node.int_attribute("axis", -1), node.int_attribute("k", -1),
          node.int_attribute("largest", 1) != 0, node.place()};
}

int64_t checked_k(const std::vector<int64_t>& list, int64_t limit, const std::string& place) {
  check_model(list.size() == 1, place, "k must be one number; items",
              static_cast<int64_t>(list.size()));
  check_model(list[0] >= 0 && list[0] <= limit, place, "k must lie within the axis; k", list[0]);
  return list[0];
}

/// NaN counts as the largest item.
template <typename T>
bool exceeds(T a, T b) {
  if constexpr (std::is_floating_point_v<T>)
    return a > b || (a != a && b == b);
  else
    return a > b;
}

/// Positions of a row, the first k in order.
template <typename T>
void order_row(const T* row, int64_t step, int64_t k, bool largest, std::vector<int64_t>& order) {
  std::iota(order.begin(), order.end(), 0);
  const auto before = [&](int64_t i, int64_t j) {
    const T a = row[i * step];
    const T b = row[j * step];
    if (exceeds(a, b)) return largest;
    if (exceeds(b, a)) return !largest;
    return i < j;
  };
  std::partial_sort(order.begin(), order.begin() + k, order.end(), before);
}

template <typename T>
void run_top_k(KernelContext& context, const TopK& op) {
  const Tensor& x = context.input(0);
  const size_t axis = normal_axis(op.axis, x.rank(), op.place);
  const auto list =
      op.k >= 0 ? std::vector<int64_t>{op.k} : integer_list(context.input(1), op.place);
  const int64_t k = checked_k(list, x.dim(axis), op.place);
  Dims dims = x.dims();
  dims[axis] = k;
  const int64_t inner = product(dims, axis + 1, dims.size());
  Tensor values = Tensor::allocate(x.type(), dims);
  Tensor indices = Tensor::allocate(DataType::kInt64, dims);
  std::vector<int64_t> order(at(x.dim(axis)));
  for (int64_t i = 0; i < product(dims, 0, axis) * inner; ++i) {
    const T* row = x.as<T>().data() + i / inner * x.dim(axis) * inner + i % inner;
    order_row(row, inner, k, op.largest, order);
    for (int64_t j = 0; j < k; ++j) {
      const size_t target = at((i / inner * k + j) * inner + i % inner);
      values.mutable_as<T>()[target] = row[order[at(j)] * inner];
      indices.mutable_as<int64_t>()[target] = order[at(j)];
    }
  }
  context.set_output(0, std::move(values));
  if (context.output_count() > 1) context.set_output(1, std::move(indices));
}

}  // namespace

void top_k_shape(const ShapeContext& context) {
  same_type_only(context);
  context.set_type(1, DataType::kInt64);
  const Shape* input = context.shape(0);
  if (input == nullptr) return;
  const TopK op = read_top_k(context.node);
  Shape output = *input;
  Dim& dim = output[normal_axis(op.axis, output.size(), op.place)];
  const int64_t limit = dim.known() ? dim.value : int64_t{1} << 60;
  dim = Dim{};
  const Tensor* k = op.k < 0 ? context.constant(1) : nullptr;
  if (op.k >= 0) dim.value = op.k;
  if (k != nullptr) dim.value = checked_k(integer_list(*k, op.place), limit, op.place);
  context.set(0, DataType::kUndefined, output);
  context.set(1, DataType::kUndefined, std::move(output));
}

std::unique_ptr<Kernel> top_k_kernel(const Node& node, int64_t) {
  const TopK op = read_top_k(node);
  check_arity(node, op.k >= 0 ? 1 : 2);
  return make_kernel([op](KernelContext& context) {
    dispatch_numeric(context.input(0).type(), op.place,
                     [&]<typename T>() { run_top_k<T>(context, op); });
  });
}

}  // namespace limbeck
