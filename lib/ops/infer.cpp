#include <algorithm>

#include "lib/base/error.h"
#include "lib/ops/common.h"
#include "lib/ops/known_values.h"

namespace limbeck {
namespace {

void merge_shapes(Shape& known, const Shape& found, const std::string& place) {
  const bool same_rank = known.size() == found.size();
  const auto fits = [](const Dim& a, const Dim& b) {
    return !a.known() || !b.known() || a.value == b.value;
  };
  if (!same_rank || !std::equal(known.begin(), known.end(), found.begin(), fits)) {
    fail_model(place,
               "the declared shape must be the one that the operator gives, " + shape_text(found),
               shape_text(known));
  }
  for (size_t i = 0; i < known.size(); ++i) {
    if (found[i].known() || (known[i] == Dim{}))
      known[i] = found[i].known() ? Dim{found[i].value, ""} : found[i];
  }
}

}  // namespace

const Shape* ShapeContext::shape(size_t index) const {
  const Value* value = node.input(index);
  return value != nullptr && value->shape ? &*value->shape : nullptr;
}

const Tensor* ShapeContext::constant(size_t index) const {
  const Value* value = node.input(index);
  if (value == nullptr) return nullptr;
  return values != nullptr ? values->constant(value) : value->constant();
}

std::optional<Shape> ShapeContext::shape_values(size_t index) const {
  const Value* value = node.input(index);
  if (value == nullptr) return std::nullopt;
  return values != nullptr ? values->shape_values(value) : KnownValues().shape_values(value);
}

void ShapeContext::set_type(size_t output, DataType type) const {
  Value* value = node.output(output);
  if (value == nullptr || type == DataType::kUndefined) return;
  if (value->type != DataType::kUndefined && value->type != type) {
    fail_model(node.place() + " output '" + value->name() + "'",
               "the declared type must be the one that the operator gives, " + data_type_name(type),
               data_type_name(value->type));
  }
  value->type = type;
}

void ShapeContext::set(size_t output, DataType type, Shape shape) const {
  set_type(output, type);
  Value* value = node.output(output);
  if (value == nullptr) return;
  if (value->shape) {
    merge_shapes(*value->shape, shape, node.place() + " output '" + value->name() + "'");
  } else {
    value->shape = std::move(shape);
  }
}

const Tensor& KernelContext::input(size_t index) const {
  if (!has_input(index)) {
    throw_error(Category::kInternal, "kernel", "an input that the kernel reads must be present",
                "no input " + std::to_string(index), "report this bug with the model");
  }
  return *inputs_[index];
}

Tensor& KernelContext::allocate(size_t index, DataType type, Dims dims) {
  set_output(index, Tensor::allocate(type, std::move(dims)));
  return outputs_[index];
}

void KernelContext::set_output(size_t index, Tensor tensor) {
  if (index >= outputs_.size()) {
    throw_error(Category::kInternal, "kernel", "an output that the kernel writes must exist",
                "no output " + std::to_string(index), "report this bug with the model");
  }
  outputs_[index] = std::move(tensor);
}

void infer_shapes(Model& model) {
  KnownValues values;
  for (const auto& node : model.graph.nodes()) {
    const int64_t opset = model.opset(node->domain());
    const OpRow* row = find_op(node->domain(), node->op_type(), opset);
    if (row == nullptr) continue;
    try {
      row->infer(ShapeContext{*node, opset, &values});
      values.evaluate(*node, *row, opset);
    } catch (const Error& error) {
      ErrorInfo info = error.info();
      if (info.place != "tensor") throw;
      info.place = node->place();
      throw Error(info);
    }
  }
}

}  // namespace limbeck
