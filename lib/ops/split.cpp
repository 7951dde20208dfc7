#include <cstring>

#include "lib/ops/rows.h"

namespace limbeck {
namespace {

/// Sizes of `parts` nearly equal pieces of `length`: all equal before opset 18, the last one
/// smaller from 18 on.
std::vector<int64_t> equal_parts(int64_t length, int64_t parts, const std::string& place) {
  check_model(parts > 0, place, "the number of parts must be positive", parts);
  const int64_t size = (length + parts - 1) / parts;
  std::vector<int64_t> sizes(at(parts), size);
  sizes.back() = length - size * (parts - 1);
  check_model(sizes.back() >= 0, place, "the axis must be long enough for the parts; it has",
              length);
  return sizes;
}

void check_sizes(const std::vector<int64_t>& sizes, int64_t length, size_t outputs,
                 const std::string& place) {
  int64_t left = length;
  for (const int64_t size : sizes) {
    check_model(size >= 0 && size <= left, place,
                "split sizes must be non-negative and sum up to the axis", size);
    left -= size;
  }
  check_model(left == 0, place, "split sizes must sum up to the axis; left over", left);
  check_model(sizes.size() == outputs, place, "there must be one split size an output; sizes",
              static_cast<int64_t>(sizes.size()));
}

void run_split(KernelContext& context, size_t axis, const std::vector<int64_t>& sizes,
               const std::string& place) {
  const Tensor& x = context.input(0);
  const auto width = static_cast<size_t>(bits_per_element(x.type()) / 8);
  if (width == 0) fail_unsupported(place, "elements must be whole bytes", data_type_name(x.type()));
  const auto outer = at(product(x.dims(), 0, axis));
  const size_t inner = at(product(x.dims(), axis + 1, x.rank())) * width;
  const size_t row = at(x.dim(axis)) * inner;
  size_t start = 0;
  for (size_t i = 0; i < sizes.size(); ++i) {
    Dims dims = x.dims();
    dims[axis] = sizes[i];
    const size_t chunk = at(sizes[i]) * inner;
    std::byte* target = context.allocate(i, x.type(), dims).mutable_raw();
    for (size_t o = 0; o < outer && chunk > 0; ++o)
      std::memcpy(target + o * chunk, x.raw() + o * row + start, chunk);
    start += chunk;
  }
}

}  // namespace

void split_shape(const ShapeContext& context) {
  const size_t outputs = context.node.outputs().size();
  for (size_t i = 0; i < outputs; ++i)
    context.set_type(i, context.input(0) ? context.input(0)->type : DataType{});
  const Shape* input = context.shape(0);
  if (input == nullptr) return;
  const std::string place = context.node.place();
  const size_t axis = normal_axis(context.node.int_attribute("axis", 0), input->size(), place);
  const Dim& length = (*input)[axis];
  auto sizes = list_parameter(context, 1, "split");
  if (!sizes && length.known() && !is_dynamic(context, 1)) {
    sizes = equal_parts(length.value, static_cast<int64_t>(outputs), place);
  }
  if (sizes && length.known()) check_sizes(*sizes, length.value, outputs, place);
  for (size_t i = 0; i < outputs; ++i) {
    Shape output = *input;
    output[axis] = sizes && i < sizes->size() ? Dim{(*sizes)[i], ""} : Dim{};
    context.set(i, DataType::kUndefined, std::move(output));
  }
}

std::unique_ptr<Kernel> split_kernel(const Node& node, int64_t) {
  check_arity(node, 1);
  const auto fixed = node.ints_attribute("split", {});
  return make_kernel([fixed, axis_attribute = node.int_attribute("axis", 0),
                      place = node.place()](KernelContext& context) {
    const Tensor& x = context.input(0);
    const size_t axis = normal_axis(axis_attribute, x.rank(), place);
    std::vector<int64_t> sizes = fixed;
    if (const Tensor* input = context.optional_input(1)) sizes = integer_list(*input, place);
    if (sizes.empty())
      sizes = equal_parts(x.dim(axis), static_cast<int64_t>(context.output_count()), place);
    check_sizes(sizes, x.dim(axis), context.output_count(), place);
    run_split(context, axis, sizes, place);
  });
}

}  // namespace limbeck
