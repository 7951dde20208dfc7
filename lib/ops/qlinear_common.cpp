#include "lib/ops/qlinear_common.h"

#include <utility>

#include "lib/ops/quantized.h"

namespace limbeck {
namespace {

class QLinearKernel final : public Kernel {
 public:
  QLinearKernel(std::string place, std::unique_ptr<Kernel> inner, QLinearInputs inputs)
      : place_(std::move(place)), inner_(std::move(inner)), inputs_(std::move(inputs)) {}

  void run(KernelContext& context) const override {
    std::vector<Tensor> real;
    for (const size_t i : inputs_.data) {
      real.push_back(dequantized_tensor(context.input(i), context.input(i + 1),
                                        context.optional_input(i + 2), place_));
    }
    std::vector<const Tensor*> inputs;
    for (const Tensor& tensor : real) inputs.push_back(&tensor);
    std::vector<Tensor> outputs(1);
    KernelContext inner(inputs, outputs);
    inner_->run(inner);
    const Tensor* zero = context.optional_input(inputs_.result + 1);
    const DataType type =
        zero != nullptr ? zero->type() : context.input(inputs_.data.front()).type();
    context.set_output(
        0, quantized_tensor(outputs[0], context.input(inputs_.result), zero, type, place_));
  }

 private:
  std::string place_;
  std::unique_ptr<Kernel> inner_;
  QLinearInputs inputs_;
};

}  // namespace

Tensor dequantized_tensor(const Tensor& codes, const Tensor& scale, const Tensor* zero,
                          const std::string& place) {
  const std::vector<float> scales = read_scales(scale, place);
  check_model(scales.size() == 1, place, "the scale must be one number; items", scale.count());
  const int32_t zero_point = read_zero_points(zero, 1, place)[0];
  Tensor result = Tensor::allocate(DataType::kFloat, codes.dims());
  const auto real = result.mutable_as<float>();
  dispatch<uint8_t, int8_t>(codes.type(), place, [&]<typename T>() {
    const auto values = codes.as<T>();
    for (size_t i = 0; i < real.size(); ++i)
      real[i] = static_cast<float>(static_cast<int32_t>(values[i]) - zero_point) * scales[0];
  });
  return result;
}

Tensor quantized_tensor(const Tensor& real, const Tensor& scale, const Tensor* zero, DataType type,
                        const std::string& place) {
  const std::vector<float> scales = read_scales(scale, place);
  check_model(scales.size() == 1, place, "the scale must be one number; items", scale.count());
  const int32_t zero_point = read_zero_points(zero, 1, place)[0];
  const CodeRange range = code_range(type, place);
  const auto values = real.as<float>();
  std::vector<int32_t> codes(values.size());
  for (size_t i = 0; i < codes.size(); ++i)
    codes[i] = to_code(values[i] / scales[0], zero_point, range);
  return store_codes(type, real.dims(), codes, place);
}

std::unique_ptr<Kernel> make_qlinear_kernel(const Node& node, std::unique_ptr<Kernel> inner,
                                            QLinearInputs inputs) {
  for (const size_t i : inputs.data) {
    if (node.input(i) == nullptr || node.input(i + 1) == nullptr)
      fail_model(node.place(), "every quantized input must be given with its scale", "none");
  }
  if (node.input(inputs.result) == nullptr)
    fail_model(node.place(), "the scale of the result must be given", "none");
  return std::make_unique<QLinearKernel>(node.place(), std::move(inner), std::move(inputs));
}

}  // namespace limbeck
