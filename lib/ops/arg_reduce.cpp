// ArgMax and ArgMin.
#include "lib/ops/rows.h"

namespace limbeck {
namespace {

struct ArgAttributes {
  int64_t axis = 0;
  bool keep = true;
  bool select_last = false;
  std::string place;
};

ArgAttributes read_arg(const Node& node) {
  return {node.int_attribute("axis", 0), node.int_attribute("keepdims", 1) != 0,
          node.int_attribute("select_last_index", 0) != 0, node.place()};
}

template <typename T, typename F>
void run_arg(KernelContext& context, const ArgAttributes& attributes, F better) {
  const Tensor& x = context.input(0);
  const size_t axis = normal_axis(attributes.axis, x.rank(), attributes.place);
  check_model(x.dim(axis) > 0, attributes.place, "the axis must not be empty; size", x.dim(axis));
  Dims dims = x.dims();
  dims[axis] = 1;
  if (!attributes.keep) dims.erase(dims.begin() + static_cast<std::ptrdiff_t>(axis));
  const int64_t outer = product(x.dims(), 0, axis);
  const int64_t inner = product(x.dims(), axis + 1, x.rank());
  const T* source = x.as<T>().data();
  int64_t* target =
      context.allocate(0, DataType::kInt64, dims).template mutable_as<int64_t>().data();
  for (int64_t i = 0; i < outer * inner; ++i) {
    const T* row = source + i / inner * x.dim(axis) * inner + i % inner;
    int64_t best = 0;
    for (int64_t j = 1; j < x.dim(axis); ++j) {
      const T item = row[j * inner];
      const T champion = row[best * inner];
      if (better(item, champion) || (attributes.select_last && item == champion)) best = j;
    }
    target[i] = best;
  }
}

template <typename F>
std::unique_ptr<Kernel> arg_kernel(const Node& node, F better) {
  check_arity(node, 1);
  return make_kernel([better, attributes = read_arg(node)](KernelContext& context) {
    dispatch_numeric(context.input(0).type(), attributes.place,
                     [&]<typename T>() { run_arg<T>(context, attributes, better); });
  });
}

}  // namespace

void arg_reduce_shape(const ShapeContext& context) {
  context.set_type(0, DataType::kInt64);
  const Shape* input = context.shape(0);
  if (input == nullptr) return;
  const ArgAttributes attributes = read_arg(context.node);
  const size_t axis = normal_axis(attributes.axis, input->size(), attributes.place);
  Shape output = *input;
  output[axis] = {1, ""};
  if (!attributes.keep) output.erase(output.begin() + static_cast<std::ptrdiff_t>(axis));
  context.set(0, DataType::kInt64, std::move(output));
}

std::unique_ptr<Kernel> arg_max_kernel(const Node& node, int64_t) {
  return arg_kernel(node, [](auto x, auto champion) { return x > champion; });
}

std::unique_ptr<Kernel> arg_min_kernel(const Node& node, int64_t) {
  return arg_kernel(node, [](auto x, auto champion) { return x < champion; });
}

}  // namespace limbeck
