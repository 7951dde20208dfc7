// Constant and ConstantOfShape.
#include <cstring>

#include "lib/ops/rows.h"

namespace limbeck {
namespace {

Tensor attribute_tensor(const Node& node, const char* name) {
  const onnx::AttributeProto* attribute = node.find_attribute(name);
  if (attribute->type() != onnx::AttributeProto::TENSOR)
    fail_model(node.place(), "value must be a tensor", "another type");
  return tensor_from_proto(attribute->t(), {}, node.place());
}

Tensor constant_value(const Node& node) {
  if (node.output(0) != nullptr && node.output(0)->constant() != nullptr)
    return *node.output(0)->constant();
  if (node.has_attribute("value")) return attribute_tensor(node, "value");
  if (node.has_attribute("value_float"))
    return Tensor::scalar(node.float_attribute("value_float", 0));
  if (node.has_attribute("value_int")) return Tensor::scalar(node.int_attribute("value_int", 0));
  if (node.has_attribute("value_floats")) {
    const auto items = node.floats_attribute("value_floats", {});
    return Tensor::from<float>({static_cast<int64_t>(items.size())}, items);
  }
  if (node.has_attribute("value_ints")) {
    const auto items = node.ints_attribute("value_ints", {});
    return Tensor::from<int64_t>({static_cast<int64_t>(items.size())}, items);
  }
  fail_unsupported(node.place(), "the constant must be a dense tensor or numbers",
                   "strings or a sparse tensor");
}

/// The element that ConstantOfShape repeats: float 0 by default.
Tensor fill_value(const Node& node) {
  if (!node.has_attribute("value")) return Tensor::scalar(0.0F);
  Tensor value = attribute_tensor(node, "value");
  check_model(value.count() == 1, node.place(), "value must have one element; it has",
              value.count());
  return value;
}

}  // namespace

void constant_shape(const ShapeContext& context) {
  const Value* output = context.output(0);
  if (output == nullptr || output->constant() == nullptr) return;
  context.set(0, output->constant()->type(), to_shape(output->constant()->dims()));
}

std::unique_ptr<Kernel> constant_kernel(const Node& node, int64_t) {
  check_arity(node, 0);
  return make_kernel(
      [value = constant_value(node)](KernelContext& context) { context.set_output(0, value); });
}

void constant_of_shape_shape(const ShapeContext& context) {
  context.set_type(0, fill_value(context.node).type());
  const auto dims = context.shape_values(0);
  if (dims) return context.set(0, DataType::kUndefined, *dims);
  const Shape* list = context.shape(0);
  if (list != nullptr && list->size() == 1 && (*list)[0].known() && (*list)[0].value <= 64) {
    context.set(0, DataType::kUndefined, Shape(at((*list)[0].value)));
  }
}

std::unique_ptr<Kernel> constant_of_shape_kernel(const Node& node, int64_t) {
  check_arity(node, 1);
  return make_kernel([value = fill_value(node), place = node.place()](KernelContext& context) {
    Tensor& y = context.allocate(0, value.type(), integer_list(context.input(0), place));
    dispatch_width(value.type(), place, [&]<typename U>() {
      std::fill_n(mutable_raw_as<U>(y), y.count(), *raw_as<U>(value));
    });
  });
}

}  // namespace limbeck
