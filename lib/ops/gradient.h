// The contract of a gradient: the vector-Jacobian product of one node.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <utility>

#include "lib/ops/op.h"

namespace limbeck {

/// What the backward pass knows of one value of the forward pass. Type and dimensions are always
/// there; `tensor` only where the gradient says that it reads it.
struct ForwardValue {
  DataType type = DataType::kUndefined;
  Dims dims;
  Tensor tensor;
};

/// The forward tensors that a gradient reads, one bit a slot (slots from 63 on share the last bit).
/// An executor frees the others.
struct GradientReads {
  static constexpr uint64_t kNone = 0;
  static constexpr uint64_t kAll = ~uint64_t{0};
  uint64_t inputs = kNone;
  uint64_t outputs = kNone;
  static constexpr uint64_t slot(size_t index) { return uint64_t{1} << (index < 63 ? index : 63); }
  bool input(size_t index) const { return (inputs & slot(index)) != 0; }
  bool output(size_t index) const { return (outputs & slot(index)) != 0; }
};

/// What a gradient sees when it runs. Spans have one item a slot of the node; null where the node
/// leaves the slot out, or where no gradient reaches an output.
class GradientContext {
 public:
  struct Data {
    std::span<const ForwardValue* const> inputs;
    std::span<const ForwardValue* const> outputs;
    std::span<const Tensor* const> output_gradients;
    std::span<const uint8_t> wanted;  ///< one flag an input
    std::span<Tensor> gradients;      ///< results, one an input; empty means zero
  };
  explicit GradientContext(const Data& data) : data_(data) {}

  size_t input_count() const { return data_.inputs.size(); }
  size_t output_count() const { return data_.outputs.size(); }
  bool has_input(size_t index) const;
  /// Tensors of the forward pass; kInternal when absent or not declared in reads().
  const Tensor& input(size_t index) const;
  const Tensor& output(size_t index) const;
  const Dims& dims(size_t input) const;
  DataType type(size_t input) const;
  const Dims& output_dims(size_t output) const;
  /// Gradient of output `index`; null where none reaches it.
  const Tensor* output_gradient(size_t index) const;
  /// Gradient of the first output; kInternal when none reaches it. Gradients of operators with one
  /// output are never run without it.
  const Tensor& dy() const;

  /// Whether the gradient of this input is asked for; false where the node leaves it out.
  bool wants(size_t input) const;
  /// Zero-filled storage for the gradient of an input: the input's dimensions, the type of dy.
  Tensor& zeros(size_t input);
  /// The same, uninitialised.
  Tensor& allocate(size_t input);
  Tensor& allocate(size_t input, DataType type, Dims dims);
  /// Hands an existing tensor over; it may share its bytes.
  void set_gradient(size_t input, Tensor gradient);

 private:
  DataType gradient_type() const;
  Data data_;
};

/// A gradient bound to one node. run() is const: it may run on many threads at once, each with its
/// own context. It sets the gradient of every wanted input that the outputs' gradients reach;
/// integer inputs are never wanted. Float and double. Raises kUnsupported for types and forms
/// without gradient.
///
/// The gradient of quantized codes is taken per step: QuantizeLinear's output gradient is a
/// floating-point tensor, d(loss) / d(code).
class Gradient {
 public:
  virtual ~Gradient() = default;
  virtual void run(GradientContext& context) const = 0;
  virtual GradientReads reads() const = 0;
};

/// Wraps a callable `void(GradientContext&)`.
template <typename F>
std::unique_ptr<Gradient> make_gradient(GradientReads reads, F function) {
  class Lambda final : public Gradient {
   public:
    Lambda(GradientReads r, F f) : reads_(r), function_(std::move(f)) {}
    void run(GradientContext& context) const override { function_(context); }
    GradientReads reads() const override { return reads_; }

   private:
    GradientReads reads_;
    F function_;
  };
  return std::make_unique<Lambda>(reads, std::move(function));
}

}  // namespace limbeck
