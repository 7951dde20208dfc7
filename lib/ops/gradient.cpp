#include "lib/ops/gradient.h"

#include "lib/base/error.h"

namespace limbeck {
namespace {

[[noreturn]] void fail_slot(const char* rule, const char* what, size_t index) {
  throw_error(Category::kInternal, "gradient", rule,
              std::string("no ") + what + std::to_string(index), "report this bug with the model");
}

const ForwardValue& value_at(std::span<const ForwardValue* const> values, size_t index,
                             const char* what) {
  if (index >= values.size() || values[index] == nullptr)
    fail_slot("a value that the gradient asks for must be present", what, index);
  return *values[index];
}

const Tensor& tensor_at(std::span<const ForwardValue* const> values, size_t index,
                        const char* what) {
  const ForwardValue& value = value_at(values, index, what);
  if (value.tensor.type() == DataType::kUndefined)
    fail_slot("a tensor that the gradient reads must be declared and kept", what, index);
  return value.tensor;
}

}  // namespace

bool GradientContext::has_input(size_t index) const {
  return index < data_.inputs.size() && data_.inputs[index] != nullptr;
}

const Tensor& GradientContext::input(size_t index) const {
  return tensor_at(data_.inputs, index, "input ");
}

const Tensor& GradientContext::output(size_t index) const {
  return tensor_at(data_.outputs, index, "output ");
}

const Dims& GradientContext::dims(size_t input) const {
  return value_at(data_.inputs, input, "input ").dims;
}

DataType GradientContext::type(size_t input) const {
  return value_at(data_.inputs, input, "input ").type;
}

const Dims& GradientContext::output_dims(size_t output) const {
  return value_at(data_.outputs, output, "output ").dims;
}

const Tensor* GradientContext::output_gradient(size_t index) const {
  return index < data_.output_gradients.size() ? data_.output_gradients[index] : nullptr;
}

const Tensor& GradientContext::dy() const {
  const Tensor* gradient = output_gradient(0);
  if (gradient == nullptr) fail_slot("the output must have a gradient", "gradient of output ", 0);
  return *gradient;
}

bool GradientContext::wants(size_t input) const {
  return input < data_.wanted.size() && data_.wanted[input] != 0 && has_input(input);
}

DataType GradientContext::gradient_type() const {
  for (const Tensor* gradient : data_.output_gradients)
    if (gradient != nullptr) return gradient->type();
  fail_slot("a gradient must reach an output", "gradient of output ", 0);
}

Tensor& GradientContext::zeros(size_t input) {
  set_gradient(input, Tensor::zeros(gradient_type(), dims(input)));
  return data_.gradients[input];
}

Tensor& GradientContext::allocate(size_t input) {
  return allocate(input, gradient_type(), dims(input));
}

Tensor& GradientContext::allocate(size_t input, DataType type, Dims dims) {
  set_gradient(input, Tensor::allocate(type, std::move(dims)));
  return data_.gradients[input];
}

void GradientContext::set_gradient(size_t input, Tensor gradient) {
  if (input >= data_.gradients.size())
    fail_slot("a gradient must belong to an input", "input ", input);
  data_.gradients[input] = std::move(gradient);
}

}  // namespace limbeck
