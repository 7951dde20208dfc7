#include "lib/autodiff/step.h"
#include "lib/base/error.h"
#include "lib/ops/batch_normalization_training.h"
#include "lib/ops/dropout_training.h"

namespace limbeck {
namespace {

class PlainStep final : public TapeStep {
 public:
  PlainStep(std::unique_ptr<Kernel> kernel, std::unique_ptr<Gradient> gradient)
      : kernel_(std::move(kernel)), gradient_(std::move(gradient)) {}
  void forward(KernelContext& context, StepState&, uint64_t) const override {
    kernel_->run(context);
  }
  void backward(GradientContext& context, const StepState&) const override {
    gradient_->run(context);
  }
  bool has_gradient() const override { return gradient_ != nullptr; }
  GradientReads reads() const override {
    return gradient_ == nullptr ? GradientReads{} : gradient_->reads();
  }

 private:
  std::unique_ptr<Kernel> kernel_;
  std::unique_ptr<Gradient> gradient_;
};

class BatchNormStep final : public TapeStep {
 public:
  BatchNormStep(const Node& node, MemoryOrder order)
      : epsilon_(static_cast<double>(node.float_attribute("epsilon", 1e-5F))),
        order_(order),
        place_(node.place()) {}
  void forward(KernelContext& context, StepState& state, uint64_t) const override {
    BatchNormResult result = batch_norm_forward(planes(context.input(0)), context.input(1),
                                                context.input(2), epsilon_, place_);
    context.set_output(0, result.y.reshaped(context.input(0).dims()));
    state.tensors = {std::move(result.mean), std::move(result.inv_std), std::move(result.variance)};
  }
  void backward(GradientContext& context, const StepState& state) const override {
    BatchNormGradients gradients = batch_norm_backward(
        planes(context.input(0)), context.input(1), state.tensors.at(kMeanState),
        state.tensors.at(kInvStdState), planes(context.dy()), context.wants(0), place_);
    if (context.wants(0)) context.set_gradient(0, gradients.x.reshaped(context.dims(0)));
    if (context.wants(1)) context.set_gradient(1, std::move(gradients.scale));
    if (context.wants(2)) context.set_gradient(2, std::move(gradients.bias));
  }
  bool has_gradient() const override { return true; }
  GradientReads reads() const override {
    return {.inputs = GradientReads::slot(0) | GradientReads::slot(1)};
  }

 private:
  /// Channels-last, every pixel of every image is a row of channels.
  Tensor planes(const Tensor& x) const {
    if (order_ == MemoryOrder::kRowMajor) return x;
    return x.reshaped({x.dim(0) * x.dim(2) * x.dim(3), x.dim(1)});
  }

  double epsilon_;
  MemoryOrder order_;
  std::string place_;
};

class DropoutStep final : public TapeStep {
 public:
  DropoutStep(double ratio, std::string place) : ratio_(ratio), place_(std::move(place)) {}
  void forward(KernelContext& context, StepState& state, uint64_t seed) const override {
    const Tensor& x = context.input(0);
    state.tensors = {dropout_mask(x.type(), x.dims(), ratio_, seed, place_)};
    context.set_output(0, dropout_apply(x, state.tensors[0], place_));
  }
  void backward(GradientContext& context, const StepState& state) const override {
    if (context.wants(0))
      context.set_gradient(0, dropout_apply(context.dy(), state.tensors.at(0), place_));
  }
  bool has_gradient() const override { return true; }
  GradientReads reads() const override { return {}; }

 private:
  double ratio_;
  std::string place_;
};

double dropout_ratio(const Node& node, int64_t opset) {
  if (opset < 12) return static_cast<double>(node.float_attribute("ratio", 0.5F));
  const Value* ratio = node.input(1);
  if (ratio == nullptr) return 0.5;
  const Tensor* constant = ratio->constant();
  if (constant != nullptr && constant->count() == 1)
    return static_cast<double>(constant->to_float()[0]);
  throw_error(Category::kUnsupported, node.place(), "the ratio must be a stored number",
              ratio->name(), "store the ratio in the model, or train without dropout");
}

}  // namespace

std::unique_ptr<TapeStep> plain_step(const Node& node, int64_t opset) {
  const OpRow* row = find_op(node.domain(), node.op_type(), opset);
  if (row == nullptr) {
    throw_error(Category::kUnsupported, node.place(),
                "a model that is trained must consist of operators that limbeck has",
                node.domain() + " " + node.op_type() + ", opset " + std::to_string(opset),
                "see docs/operators.md, and rewrite the node");
  }
  return std::make_unique<PlainStep>(
      row->kernel(node, opset), row->gradient == nullptr ? nullptr : row->gradient(node, opset));
}

std::unique_ptr<TapeStep> batch_norm_step(const Node& node, MemoryOrder order) {
  return std::make_unique<BatchNormStep>(node, order);
}

std::unique_ptr<TapeStep> dropout_step(const Node& node, int64_t opset) {
  return std::make_unique<DropoutStep>(dropout_ratio(node, opset), node.place());
}

}  // namespace limbeck
