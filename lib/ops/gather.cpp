#include <cstring>

#include "lib/ops/rows.h"

namespace limbeck {
namespace {

void run_gather(KernelContext& context, int64_t axis_attribute, const std::string& place) {
  const Tensor& x = context.input(0);
  const Tensor& index_tensor = context.input(1);
  const size_t axis = normal_axis(axis_attribute, x.rank(), place);
  const auto width = static_cast<size_t>(bits_per_element(x.type()) / 8);
  if (width == 0) fail_unsupported(place, "elements must be whole bytes", data_type_name(x.type()));
  std::vector<int64_t> indices = index_tensor.to_int64();
  for (int64_t& index : indices) {
    check_model(index >= -x.dim(axis) && index < x.dim(axis), place,
                "an index must lie within the axis", index);
    if (index < 0) index += x.dim(axis);
  }
  Dims dims(x.dims().begin(), x.dims().begin() + static_cast<std::ptrdiff_t>(axis));
  dims.insert(dims.end(), index_tensor.dims().begin(), index_tensor.dims().end());
  dims.insert(dims.end(), x.dims().begin() + static_cast<std::ptrdiff_t>(axis) + 1, x.dims().end());
  Tensor& y = context.allocate(0, x.type(), dims);
  const auto outer = at(product(x.dims(), 0, axis));
  const size_t inner = at(product(x.dims(), axis + 1, x.rank())) * width;
  std::byte* target = y.mutable_raw();
  for (size_t o = 0; o < outer && y.count() > 0; ++o) {
    const std::byte* row = x.raw() + o * at(x.dim(axis)) * inner;
    for (const int64_t index : indices) {
      std::memcpy(target, row + at(index) * inner, inner);
      target += inner;
    }
  }
}

}  // namespace

void gather_shape(const ShapeContext& context) {
  same_type_only(context);
  const Shape* input = context.shape(0);
  const Shape* indices = context.shape(1);
  if (input == nullptr || indices == nullptr) return;
  const size_t axis =
      normal_axis(context.node.int_attribute("axis", 0), input->size(), context.node.place());
  Shape output(input->begin(), input->begin() + static_cast<std::ptrdiff_t>(axis));
  output.insert(output.end(), indices->begin(), indices->end());
  output.insert(output.end(), input->begin() + static_cast<std::ptrdiff_t>(axis) + 1, input->end());
  context.set(0, DataType::kUndefined, std::move(output));
}

std::unique_ptr<Kernel> gather_kernel(const Node& node, int64_t) {
  check_arity(node, 2);
  return make_kernel([axis = node.int_attribute("axis", 0), place = node.place()](
                         KernelContext& context) { run_gather(context, axis, place); });
}

}  // namespace limbeck
