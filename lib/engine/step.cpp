#include "lib/engine/step.h"

#include "lib/base/error.h"

namespace limbeck {
namespace {

class ReferenceStep : public StepKernel {
 public:
  explicit ReferenceStep(std::unique_ptr<Kernel> kernel) : kernel_(std::move(kernel)) {}

  void run(StepContext& context) const override {
    std::vector<Tensor> plain(context.input_count());
    std::vector<const Tensor*> inputs(context.input_count(), nullptr);
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (context.optional_input(i) == nullptr) continue;
      plain[i] = context.input_in(i, Layout::kPlain);
      inputs[i] = &plain[i];
    }
    std::vector<Tensor> outputs(context.output_count());
    KernelContext inner(inputs, outputs);
    kernel_->run(inner);
    for (size_t i = 0; i < outputs.size(); ++i)
      context.set_output(i, {std::move(outputs[i]), Layout::kPlain});
  }

 private:
  std::unique_ptr<Kernel> kernel_;
};

}  // namespace

const Activation& StepContext::input(size_t index) const {
  const Activation* activation = optional_input(index);
  if (activation == nullptr) {
    throw_error(Category::kInternal, "engine",
                "input " + std::to_string(index) + " of a step is needed", "nothing",
                "report this bug with the model");
  }
  return *activation;
}

std::byte* StepContext::allocate(size_t index, DataType type, Dims dims, Layout layout) {
  WritableTensor fresh = pool_.allocate(type, std::move(dims));
  outputs_[index] = {std::move(fresh.tensor), layout};
  return fresh.data;
}

void StepContext::set_output(size_t index, Activation activation) {
  outputs_[index] = std::move(activation);
}

WritableTensor StepContext::scratch(size_t bytes) const {
  return pool_.allocate(DataType::kUint8, {static_cast<int64_t>(bytes)});
}

std::unique_ptr<StepKernel> make_reference_step(std::unique_ptr<Kernel> kernel) {
  return std::make_unique<ReferenceStep>(std::move(kernel));
}

}  // namespace limbeck
