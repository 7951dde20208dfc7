// Convolution forward and backward as training runs it: weights change at every call, one thread.
#pragma once

#include <memory>
#include <string>

#include "lib/engine/precision.h"
#include "lib/model/tensor.h"
#include "lib/ops/conv_core.h"

namespace limbeck::onednn {

/// Float, two spatial axes. x, y and their gradients have dimensions [n, c, h, w] but lie in memory
/// channels-last, [n, h, w, c]; weights and bias lie as ONNX stores them. Const: calls from many
/// threads may run at once; each uses the calling thread only, so that its bits do not depend on
/// the number of threads. Primitives are made once a shape. Precision holds for the factors x, w
/// and dy; bias, sums and results are FP32.
class TrainingConvolution {
 public:
  explicit TrainingConvolution(std::string place, Precision precision = Precision::kFloat);
  ~TrainingConvolution();
  TrainingConvolution(const TrainingConvolution&) = delete;
  TrainingConvolution& operator=(const TrainingConvolution&) = delete;

  /// `bias` may be null.
  Tensor forward(const ConvGeometry& geometry, const Tensor& x, const Tensor& w,
                 const Tensor* bias) const;
  /// `bias` says whether the convolution has one, here and below: it is part of the primitives.
  Tensor backward_data(const ConvGeometry& geometry, const Tensor& w, const Tensor& dy,
                       bool bias) const;
  struct WeightGradients {
    Tensor w;
    Tensor bias;  ///< empty without bias
  };
  WeightGradients backward_weights(const ConvGeometry& geometry, const Tensor& x, const Tensor& dy,
                                   bool bias) const;

 private:
  struct Shapes;
  std::string place_;
  Precision precision_;
  std::unique_ptr<const Shapes> shapes_;
};

}  // namespace limbeck::onednn
