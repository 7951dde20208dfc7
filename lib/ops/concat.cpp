#include <cstring>

#include "lib/ops/rows.h"

namespace limbeck {
namespace {

int64_t axis_of(const Node& node) {
  if (!node.has_attribute("axis")) fail_model(node.place(), "axis must be given", "none");
  return node.int_attribute("axis", 0);
}

void check_input(const Tensor& input, const Tensor& first, size_t axis, const std::string& place) {
  Dims dims = input.dims();
  if (dims.size() == first.rank()) dims[axis] = first.dim(axis);
  if (dims == first.dims() && input.type() == first.type()) return;
  fail_model(place, "inputs must agree in type and, but for the axis, in shape",
             dims_text(first.dims()) + " and " + dims_text(input.dims()));
}

void run_concat(KernelContext& context, int64_t axis_attribute, const std::string& place) {
  const Tensor& first = context.input(0);
  const size_t axis = normal_axis(axis_attribute, first.rank(), place);
  const auto width = static_cast<size_t>(bits_per_element(first.type()) / 8);
  if (width == 0)
    fail_unsupported(place, "elements must be whole bytes", data_type_name(first.type()));
  Dims dims = first.dims();
  dims[axis] = 0;
  for (size_t i = 0; i < context.input_count(); ++i) {
    check_input(context.input(i), first, axis, place);
    dims[axis] += context.input(i).dim(axis);
  }
  Tensor& y = context.allocate(0, first.type(), dims);
  const auto outer = at(product(dims, 0, axis));
  const size_t inner = at(product(dims, axis + 1, dims.size())) * width;
  std::byte* target = y.mutable_raw();
  for (size_t o = 0; o < outer && y.count() > 0; ++o) {
    for (size_t i = 0; i < context.input_count(); ++i) {
      const size_t chunk = at(context.input(i).dim(axis)) * inner;
      if (chunk > 0) std::memcpy(target, context.input(i).raw() + o * chunk, chunk);
      target += chunk;
    }
  }
}

}  // namespace

void concat_shape(const ShapeContext& context) {
  same_type_only(context);
  const std::string place = context.node.place();
  std::optional<Shape> output;
  for (size_t i = 0; i < context.node.inputs().size(); ++i) {
    const Shape* shape = context.shape(i);
    if (shape == nullptr) return;
    const size_t axis = normal_axis(axis_of(context.node), shape->size(), place);
    if (!output) {
      output = *shape;
      continue;
    }
    if (output->size() != shape->size())
      fail_model(place, "inputs must agree in rank", shape_text(*shape));
    Dim& sum = (*output)[axis];
    sum = sum.known() && (*shape)[axis].known() ? Dim{sum.value + (*shape)[axis].value, ""} : Dim{};
    for (size_t j = 0; j < output->size(); ++j) {
      if (j != axis && !(*output)[j].known()) (*output)[j] = (*shape)[j];
    }
  }
  if (output) context.set(0, DataType::kUndefined, std::move(*output));
}

std::unique_ptr<Kernel> concat_kernel(const Node& node, int64_t) {
  check_arity(node, std::max<size_t>(node.inputs().size(), 1));
  return make_kernel([axis = axis_of(node), place = node.place()](KernelContext& context) {
    run_concat(context, axis, place);
  });
}

}  // namespace limbeck
