// BatchNormalization over the statistics of the batch, as training runs it: forward and backward.
#pragma once

#include "lib/model/tensor.h"

namespace limbeck {

/// What the forward pass leaves behind. `variance` is the population variance (divided by n), the
/// one that the normalization uses; ONNX and ghost batch normalization update running statistics
/// from it.
struct BatchNormResult {
  Tensor y;
  Tensor mean;      ///< one item a channel
  Tensor variance;  ///< one item a channel
  Tensor inv_std;   ///< 1 / sqrt(variance + epsilon)
};

/// y = (x - mean) * inv_std * scale + bias with the statistics of x over all axes but axis 1.
/// Float or double, all tensors alike; statistics are summed in double. Raises kInvalidModel.
BatchNormResult batch_norm_forward(const Tensor& x, const Tensor& scale, const Tensor& bias,
                                   double epsilon, const std::string& place);

/// Gradients of x, scale and bias (Ioffe and Szegedy 2015, section 3).
struct BatchNormGradients {
  Tensor x;
  Tensor scale;
  Tensor bias;
};
/// `mean` and `inv_std` are those of the forward pass. `x` stays empty unless `wants_x`.
BatchNormGradients batch_norm_backward(const Tensor& x, const Tensor& scale, const Tensor& mean,
                                       const Tensor& inv_std, const Tensor& dy, bool wants_x,
                                       const std::string& place);

}  // namespace limbeck
