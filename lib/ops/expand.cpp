// Expand and Tile: repetition along axes.
#include "lib/ops/broadcast.h"
#include "lib/ops/copy.h"
#include "lib/ops/rows.h"

namespace limbeck {

void expand_shape(const ShapeContext& context) {
  same_type_only(context);
  const Shape* input = context.shape(0);
  const auto wanted = context.shape_values(1);
  if (input == nullptr || !wanted) return;
  context.set(0, DataType::kUndefined, broadcast_shapes(*input, *wanted, context.node.place()));
}

std::unique_ptr<Kernel> expand_kernel(const Node& node, int64_t) {
  check_arity(node, 2);
  return make_kernel([place = node.place()](KernelContext& context) {
    const Tensor& x = context.input(0);
    const Dims wanted = integer_list(context.input(1), place);
    element_count(wanted, place);
    Tensor& y = context.allocate(0, x.type(), broadcast_dims(x.dims(), wanted, place));
    strided_copy(x, broadcast_strides(x.dims(), y.dims()), y, place);
  });
}

void tile_shape(const ShapeContext& context) {
  same_type_only(context);
  const Shape* input = context.shape(0);
  const auto repeats = context.shape_values(1);
  if (input == nullptr || !repeats || repeats->size() != input->size()) return;
  Shape output = *input;
  for (size_t i = 0; i < output.size(); ++i) {
    const Dim& times = (*repeats)[i];
    if (times.value == 1) continue;
    output[i] = output[i].known() && times.known() ? Dim{output[i].value * times.value, ""} : Dim{};
  }
  context.set(0, DataType::kUndefined, std::move(output));
}

std::unique_ptr<Kernel> tile_kernel(const Node& node, int64_t) {
  check_arity(node, 2);
  return make_kernel([place = node.place()](KernelContext& context) {
    const Tensor& x = context.input(0);
    const Dims repeats = integer_list(context.input(1), place);
    check_model(repeats.size() == x.rank(), place, "repeats must have one item an axis; items",
                static_cast<int64_t>(repeats.size()));
    Dims dims;
    for (size_t i = 0; i < repeats.size(); ++i)
      dims.push_back(element_count({x.dim(i), repeats[i]}, place));
    Tensor& y = context.allocate(0, x.type(), dims);
    if (y.count() == 0) return;
    IndexTables tables(dims.size());
    for (size_t i = 0; i < dims.size(); ++i) {
      for (int64_t j = 0; j < dims[i]; ++j) tables[i].push_back(j % x.dim(i));
    }
    index_copy(x, tables, nullptr, y, place);
  });
}

}  // namespace limbeck
