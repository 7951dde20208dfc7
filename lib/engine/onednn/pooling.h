// Max and average pooling on channels-last activations.
#pragma once

#include <memory>
#include <string>

#include "lib/engine/step.h"

namespace limbeck::onednn {

struct PoolingSpec {
  std::string place;
  bool average = false;
  bool count_include_pad = false;
  /// Window of the whole image, output 1 x 1; the fields below are then unused.
  bool global = false;
  bool ceil_mode = false;
  Dims kernel;
  Dims strides;
  Dims dilations;
  /// All begins, then all ends.
  Dims pads;
  std::string auto_pad = "NOTSET";
  /// GlobalAveragePool written as ReduceMean without keepdims: drop the spatial dimensions of the
  /// result.
  bool drop_spatial = false;
};

/// float for average; float, uint8 or int8 for max.
std::unique_ptr<StepKernel> make_pooling(PoolingSpec spec);

}  // namespace limbeck::onednn
