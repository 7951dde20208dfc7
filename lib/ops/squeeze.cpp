// Squeeze and Unsqueeze, axes as attribute (before opset 13) or input.
#include <algorithm>

#include "lib/ops/rows.h"

namespace limbeck {
namespace {

Shape squeezed(const Shape& input, const std::optional<std::vector<int64_t>>& axes,
               const std::string& place) {
  std::vector<size_t> drop;
  if (axes) drop = normal_axes(*axes, input.size(), place);
  Shape output;
  for (size_t i = 0; i < input.size(); ++i) {
    const bool named = std::find(drop.begin(), drop.end(), i) != drop.end();
    if (named && input[i].known() && input[i].value != 1) {
      fail_model(place, "a squeezed dimension must be 1", std::to_string(input[i].value));
    }
    if (axes ? !named : input[i].value != 1) output.push_back(input[i]);
  }
  return output;
}

Shape unsqueezed(const Shape& input, const std::vector<int64_t>& axes, const std::string& place) {
  Shape output = input;
  for (const size_t axis : normal_axes(axes, input.size() + axes.size(), place)) {
    output.insert(output.begin() + static_cast<std::ptrdiff_t>(axis), Dim{1, ""});
  }
  return output;
}

std::optional<std::vector<int64_t>> axes_at_run(const KernelContext& context,
                                                const std::optional<std::vector<int64_t>>& fixed,
                                                const std::string& place) {
  if (fixed || !context.has_input(1)) return fixed;
  return integer_list(context.input(1), place);
}

std::optional<std::vector<int64_t>> fixed_axes(const Node& node) {
  if (!node.has_attribute("axes")) return std::nullopt;
  return node.ints_attribute("axes", {});
}

}  // namespace

void squeeze_shape(const ShapeContext& context) {
  same_type_only(context);
  const Shape* input = context.shape(0);
  const auto axes = list_parameter(context, 1, "axes");
  if (input == nullptr || (!axes && (is_dynamic(context, 1) || !known_dims(input)))) return;
  context.set(0, DataType::kUndefined, squeezed(*input, axes, context.node.place()));
}

std::unique_ptr<Kernel> squeeze_kernel(const Node& node, int64_t) {
  check_arity(node, 1);
  return make_kernel([fixed = fixed_axes(node), place = node.place()](KernelContext& context) {
    const Tensor& x = context.input(0);
    const Shape output = squeezed(to_shape(x.dims()), axes_at_run(context, fixed, place), place);
    context.set_output(0, x.reshaped(known_dims(&output).value_or(Dims{})));
  });
}

void unsqueeze_shape(const ShapeContext& context) {
  same_type_only(context);
  const Shape* input = context.shape(0);
  const auto axes = list_parameter(context, 1, "axes");
  if (input == nullptr || !axes) return;
  context.set(0, DataType::kUndefined, unsqueezed(*input, *axes, context.node.place()));
}

std::unique_ptr<Kernel> unsqueeze_kernel(const Node& node, int64_t opset) {
  check_arity(node, opset < 13 ? 1 : 2);
  return make_kernel([fixed = fixed_axes(node), place = node.place()](KernelContext& context) {
    const Tensor& x = context.input(0);
    const auto axes = axes_at_run(context, fixed, place);
    if (!axes) fail_model(place, "axes must be given", "none");
    const Shape output = unsqueezed(to_shape(x.dims()), *axes, place);
    context.set_output(0, x.reshaped(known_dims(&output).value_or(Dims{})));
  });
}

}  // namespace limbeck
