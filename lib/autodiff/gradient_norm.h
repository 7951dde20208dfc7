// Length of a whole gradient, and clipping to it.
#pragma once

#include <span>

#include "lib/model/tensor.h"

namespace limbeck {

/// Euclidean length of all float tensors together, summed in double in their order. Infinite or NaN
/// when an element is.
double gradient_norm(std::span<const Tensor> gradients);

/// R. Pascanu, T. Mikolov, Y. Bengio, "On the difficulty of training recurrent neural networks",
/// ICML 2013, algorithm 1, in PyTorch's form (clip_grad_norm_): min(1, limit / (norm + 1e-6)).
double clip_factor(double norm, double limit);

/// Multiplies every element; nothing is touched for a factor of one.
void scale_gradients(std::span<Tensor> gradients, double factor);

}  // namespace limbeck
