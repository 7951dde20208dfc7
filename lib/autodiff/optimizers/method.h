// The optimizers' arithmetic, one file each. Definitions are those of PyTorch 2 (torch.optim),
// where step is the number of the update, from 1.
#pragma once

#include <span>
#include <string_view>

#include "lib/autodiff/optimizer.h"

namespace limbeck {

/// One weight in one update; all spans have its size, or none where the method has no such state.
struct WeightUpdate {
  std::span<float> value;
  std::span<const float> gradient;
  std::span<float> first;
  std::span<float> second;
  double learning_rate = 0;
  double weight_decay = 0;
  int64_t step = 1;
};

struct OptimizerRow {
  std::string_view name;
  size_t slots = 0;  ///< state tensors for each weight
  void (*update)(const OptimizerOptions& options, const WeightUpdate& weight);
};
std::span<const OptimizerRow> optimizer_table();

/// torch.optim.SGD without dampening (I. Sutskever et al., ICML 2013, with PyTorch's placing of the
/// learning rate):
///   g += weight_decay * w;  m = momentum * m + g;  g = nesterov ? g + momentum * m : m
///   w -= learning_rate * g
void update_sgd(const OptimizerOptions& options, const WeightUpdate& weight);

/// torch.optim.Adam (D. Kingma, J. Ba, ICLR 2015, algorithm 1; weight decay as L2 penalty):
///   g += weight_decay * w;  m += (1 - beta1) * (g - m);  v = beta2 * v + (1 - beta2) * g^2
///   w -= learning_rate / (1 - beta1^step) * m / (sqrt(v) / sqrt(1 - beta2^step) + epsilon)
void update_adam(const OptimizerOptions& options, const WeightUpdate& weight);

/// torch.optim.AdamW (I. Loshchilov, F. Hutter, "Decoupled Weight Decay Regularization", ICLR 2019,
/// algorithm 2): w *= 1 - learning_rate * weight_decay, then Adam without weight decay.
void update_adamw(const OptimizerOptions& options, const WeightUpdate& weight);

}  // namespace limbeck
