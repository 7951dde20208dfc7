// Resize, and Upsample that it replaced.
#include "lib/ops/resize_core.h"
#include "lib/ops/rows.h"

namespace limbeck {
namespace {

/// Sizes of which some may be unknown, written to the axes that they describe.
Shape sized_shape(const Shape& input, const Shape& sizes, const std::vector<size_t>& order,
                  const std::string& place) {
  if (sizes.size() != order.size()) {
    fail_model(place, "sizes must have " + std::to_string(order.size()) + " items",
               std::to_string(sizes.size()));
  }
  Shape output = input;
  for (size_t i = 0; i < order.size(); ++i) output[order[i]] = sizes[i];
  return output;
}

Shape scaled_shape(const Shape& input, const std::vector<float>& scales,
                   const std::vector<size_t>& order, const std::string& place) {
  if (scales.size() != order.size()) {
    fail_model(place, "scales must have " + std::to_string(order.size()) + " items",
               std::to_string(scales.size()));
  }
  Shape output = input;
  for (size_t i = 0; i < order.size(); ++i) {
    Dim& dim = output[order[i]];
    if (scales[i] == 1.0F) continue;
    dim = dim.known() ? Dim{scaled_size(dim.value, scales[i], place), ""} : Dim{};
  }
  return output;
}

/// Axes whose size is not known before the model runs.
Shape unknown_shape(const Shape& input, const std::vector<size_t>& order) {
  Shape output = input;
  for (const size_t axis : order) output[axis] = {};
  return output;
}

Shape output_shape(const ShapeContext& context, const Shape& input) {
  const std::string place = context.node.place();
  const ResizeAttributes attributes = read_resize_attributes(context.node, context.opset);
  const ResizeSlots slots = read_resize_slots(context.node, context.opset);
  const std::vector<size_t> order = resized_axes(attributes, input.size(), place);
  std::vector<float> scales = slots.fixed_scales;
  if (const Tensor* tensor = context.constant(slots.scales)) scales = tensor->to_float();
  if (!scales.empty()) return scaled_shape(input, scales, order, place);
  const auto sizes = context.shape_values(slots.sizes);
  if (!sizes || sizes->empty()) return unknown_shape(input, order);
  if (attributes.policy == ResizePolicy::kStretch) return sized_shape(input, *sizes, order, place);
  const auto dims = known_dims(&input);
  const auto wanted = known_dims(&*sizes);
  if (!dims || !wanted) return unknown_shape(input, order);
  Shape output;
  for (const ResizeAxis& axis : resolve_resize(attributes, {{}, {}, *wanted}, *dims, place))
    output.push_back({axis.output, ""});
  return output;
}

std::unique_ptr<Kernel> make_resize(const Node& node, int64_t opset) {
  return make_kernel([attributes = read_resize_attributes(node, opset),
                      slots = read_resize_slots(node, opset),
                      place = node.place()](KernelContext& context) {
    const ResizeRequest request = read_resize_request(
        slots, [&](size_t i) { return context.optional_input(i); }, place);
    const Dims& dims = context.input(0).dims();
    run_resize(context, attributes, resolve_resize(attributes, request, dims, place), place);
  });
}

}  // namespace

void resize_shape(const ShapeContext& context) {
  same_type_only(context);
  const Shape* input = context.shape(0);
  if (input != nullptr) context.set(0, DataType::kUndefined, output_shape(context, *input));
}

void upsample_shape(const ShapeContext& context) { resize_shape(context); }

std::unique_ptr<Kernel> resize_kernel(const Node& node, int64_t opset) {
  check_arity(node, opset < 11 ? 2 : 1);
  return make_resize(node, opset);
}

std::unique_ptr<Kernel> upsample_kernel(const Node& node, int64_t opset) {
  check_arity(node, opset < 9 ? 1 : 2);
  return make_resize(node, opset);
}

}  // namespace limbeck
