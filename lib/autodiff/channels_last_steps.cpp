// Steps of the channels-last part of a tape.
#include "lib/autodiff/step.h"
#include "lib/engine/onednn/training_convolution.h"

namespace limbeck {
namespace {

/// One image: [rows, columns] to [columns, rows].
void turn(const float* from, float* to, int64_t rows, int64_t columns) {
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < columns; ++c) to[c * rows + r] = from[r * columns + c];
  }
}

Tensor reordered(const Tensor& x, MemoryOrder to) {
  const int64_t channels = x.dim(1);
  const int64_t pixels = x.dim(2) * x.dim(3);
  const bool last = to == MemoryOrder::kChannelsLast;
  Tensor y = Tensor::allocate(DataType::kFloat, x.dims());
  const float* from = x.as<float>().data();
  float* target = y.mutable_as<float>().data();
  for (int64_t n = 0; n < x.dim(0); ++n, from += channels * pixels, target += channels * pixels)
    turn(from, target, last ? channels : pixels, last ? pixels : channels);
  return y;
}

MemoryOrder other(MemoryOrder order) {
  return order == MemoryOrder::kRowMajor ? MemoryOrder::kChannelsLast : MemoryOrder::kRowMajor;
}

class ReorderStep final : public TapeStep {
 public:
  explicit ReorderStep(MemoryOrder to) : to_(to) {}
  void forward(KernelContext& context, StepState&, uint64_t) const override {
    context.set_output(0, reordered(context.input(0), to_));
  }
  void backward(GradientContext& context, const StepState&) const override {
    if (context.wants(0)) context.set_gradient(0, reordered(context.dy(), other(to_)));
  }
  bool has_gradient() const override { return true; }
  GradientReads reads() const override { return {}; }

 private:
  MemoryOrder to_;
};

class ConvStep final : public TapeStep {
 public:
  ConvStep(const Node& node, Precision precision)
      : window_(read_window(node)),
        group_(node.int_attribute("group", 1)),
        place_(node.place()),
        convolution_(node.place(), precision) {}
  void forward(KernelContext& context, StepState&, uint64_t) const override {
    const Tensor& x = context.input(0);
    const Tensor& w = context.input(1);
    const ConvGeometry g = conv_geometry(window_, group_, x.dims(), w.dims(), place_);
    const Tensor* bias = context.optional_input(2);
    check_model(bias == nullptr || bias->count() == w.dim(0), place_,
                "the bias must have one item a channel", w.dim(0));
    context.set_output(0, convolution_.forward(g, x, w, bias));
  }
  void backward(GradientContext& context, const StepState&) const override {
    const Tensor& dy = context.dy();
    const ConvGeometry g = conv_geometry(window_, group_, context.dims(0), context.dims(1), place_);
    const bool bias = context.has_input(2);
    if (context.wants(0))
      context.set_gradient(0, convolution_.backward_data(g, context.input(1), dy, bias));
    if (!context.wants(1) && !context.wants(2)) return;
    auto gradients = convolution_.backward_weights(g, context.input(0), dy, bias);
    if (context.wants(1)) context.set_gradient(1, std::move(gradients.w));
    if (context.wants(2)) context.set_gradient(2, std::move(gradients.bias));
  }
  bool has_gradient() const override { return true; }
  GradientReads reads() const override {
    return {.inputs = GradientReads::slot(0) | GradientReads::slot(1)};
  }

 private:
  WindowAttributes window_;
  int64_t group_;
  std::string place_;
  onednn::TrainingConvolution convolution_;
};

}  // namespace

std::unique_ptr<TapeStep> channels_last_conv_step(const Node& node, Precision precision) {
  return std::make_unique<ConvStep>(node, precision);
}

std::unique_ptr<TapeStep> reorder_step(MemoryOrder to) { return std::make_unique<ReorderStep>(to); }

}  // namespace limbeck
