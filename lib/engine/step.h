// One instruction of a compiled model: what the executor runs, in order.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "lib/engine/layout.h"
#include "lib/ops/op.h"

namespace limbeck {

/// What a step sees when it runs.
class StepContext {
 public:
  StepContext(std::span<const Activation* const> inputs, std::span<Activation> outputs,
              BufferPool& pool)
      : inputs_(inputs), outputs_(outputs), pool_(pool) {}
  size_t input_count() const { return inputs_.size(); }
  size_t output_count() const { return outputs_.size(); }
  /// Null when absent.
  const Activation* optional_input(size_t index) const {
    return index < inputs_.size() ? inputs_[index] : nullptr;
  }
  /// Raises kInternal when absent.
  const Activation& input(size_t index) const;
  /// The input in the wanted order of bytes, converted if need be.
  Tensor input_in(size_t index, Layout layout) const {
    return in_layout(input(index), layout, pool_);
  }
  /// Uninitialised output; the bytes to fill.
  std::byte* allocate(size_t index, DataType type, Dims dims, Layout layout);
  void set_output(size_t index, Activation activation);
  /// Memory that lives as long as the returned tensor.
  WritableTensor scratch(size_t bytes) const;

 private:
  std::span<const Activation* const> inputs_;
  std::span<Activation> outputs_;
  BufferPool& pool_;
};

/// Const and thread-safe: everything that belongs to one call is in the context.
class StepKernel {
 public:
  virtual ~StepKernel() = default;
  virtual void run(StepContext& context) const = 0;
};

/// A kernel bound to slots of the run-time table of values; -1 for an input or output that is left
/// out.
struct Step {
  std::unique_ptr<StepKernel> kernel;
  std::vector<int> inputs;
  std::vector<int> outputs;
  std::vector<int> release;  ///< slots whose last reader is this step
  std::string place;         ///< of the last node that the step stands for
};

/// Runs a kernel of the operator table on row-major tensors.
std::unique_ptr<StepKernel> make_reference_step(std::unique_ptr<Kernel> kernel);

}  // namespace limbeck
