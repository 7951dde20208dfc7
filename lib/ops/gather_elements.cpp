#include "lib/ops/broadcast.h"
#include "lib/ops/rows.h"

namespace limbeck {
namespace {

/// Offsets into the data of every element of the result.
std::vector<int64_t> source_offsets(const Dims& data, const Tensor& indices, size_t axis,
                                    const std::string& place) {
  const Dims strides = row_strides(data);
  const std::vector<int64_t> items = indices.to_int64();
  std::vector<int64_t> offsets;
  offsets.reserve(items.size());
  Dims position(indices.rank(), 0);
  for (const int64_t item : items) {
    check_model(item >= -data[axis] && item < data[axis], place,
                "an index must lie within the axis; index", item);
    int64_t offset = (item < 0 ? item + data[axis] : item) * strides[axis];
    for (size_t i = 0; i < position.size(); ++i)
      if (i != axis) offset += position[i] * strides[i];
    offsets.push_back(offset);
    next_position(position, indices.dims(), position.size());
  }
  return offsets;
}

void run_gather_elements(KernelContext& context, int64_t axis_attribute, const std::string& place) {
  const Tensor& x = context.input(0);
  const Tensor& indices = context.input(1);
  const size_t axis = normal_axis(axis_attribute, x.rank(), place);
  bool fits = indices.rank() == x.rank();
  for (size_t i = 0; fits && i < x.rank(); ++i) fits = i == axis || indices.dim(i) <= x.dim(i);
  if (!fits) {
    fail_model(place, "the indices must fit into the data, " + dims_text(x.dims()),
               dims_text(indices.dims()));
  }
  if (indices.type() != DataType::kInt64 && indices.type() != DataType::kInt32)
    fail_model(place, "indices must be int32 or int64", data_type_name(indices.type()));
  const auto offsets = source_offsets(x.dims(), indices, axis, place);
  Tensor& y = context.allocate(0, x.type(), indices.dims());
  dispatch_width(x.type(), place, [&]<typename U>() {
    U* target = mutable_raw_as<U>(y);
    for (size_t i = 0; i < offsets.size(); ++i) target[i] = raw_as<U>(x)[offsets[i]];
  });
}

}  // namespace

void gather_elements_shape(const ShapeContext& context) {
  same_type_only(context);
  if (const Shape* indices = context.shape(1)) context.set(0, DataType::kUndefined, *indices);
}

std::unique_ptr<Kernel> gather_elements_kernel(const Node& node, int64_t) {
  check_arity(node, 2);
  return make_kernel([axis = node.int_attribute("axis", 0), place = node.place()](
                         KernelContext& context) { run_gather_elements(context, axis, place); });
}

}  // namespace limbeck
