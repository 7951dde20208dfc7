// One node of a tape: how it runs forward and backward while a model trains.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "lib/engine/precision.h"
#include "lib/ops/gradient.h"

namespace limbeck {

/// What a step keeps from its forward to its backward run, beside the forward tensors that reads()
/// declares.
struct StepState {
  std::vector<Tensor> tensors;
};

/// Bound to one node. Const: many passes may run at once, each with its own contexts and state.
/// Uses one thread only.
class TapeStep {
 public:
  virtual ~TapeStep() = default;
  /// `seed` is different for every step of a pass.
  virtual void forward(KernelContext& context, StepState& state, uint64_t seed) const = 0;
  /// Sets the gradients of the wanted inputs. Only called where has_gradient().
  virtual void backward(GradientContext& context, const StepState& state) const = 0;
  virtual bool has_gradient() const = 0;
  virtual GradientReads reads() const = 0;
};

/// The kernel and the gradient of the operator table. Raises kUnsupported where the table has no
/// such operator.
std::unique_ptr<TapeStep> plain_step(const Node& node, int64_t opset);

/// How a tensor of dimensions [n, c, h, w] lies in memory.
enum class MemoryOrder { kRowMajor, kChannelsLast };

/// BatchNormalization over the statistics of the batch, whatever training_mode says. State: mean,
/// inv_std, variance (population), one item a channel each.
std::unique_ptr<TapeStep> batch_norm_step(const Node& node, MemoryOrder order);
inline constexpr size_t kMeanState = 0;
inline constexpr size_t kInvStdState = 1;
inline constexpr size_t kVarianceState = 2;

/// Dropout that drops: mask drawn from the step's seed. The ratio is the attribute (before opset
/// 12), the stored constant of input 1, or ONNX's default of one half.
std::unique_ptr<TapeStep> dropout_step(const Node& node, int64_t opset);

/// Conv in float with two spatial axes, on oneDNN, channels-last.
std::unique_ptr<TapeStep> channels_last_conv_step(const Node& node, Precision precision);

/// Copies input 0 into the other order; dimensions stay [n, c, h, w].
std::unique_ptr<TapeStep> reorder_step(MemoryOrder to);

}  // namespace limbeck
