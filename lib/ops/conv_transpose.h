// Geometry of ConvTranspose. Internal to lib/ops.
#pragma once

#include "lib/ops/window.h"

namespace limbeck {

struct TransposeAttributes {
  WindowAttributes window;
  std::vector<int64_t> output_padding;
  std::vector<int64_t> output_shape;
  int64_t group = 1;
  std::string place;
};

TransposeAttributes read_transpose(const Node& node);

/// Window "input" is the result, "output" is x.
struct TransposeGeometry {
  int64_t in_channels = 0;   ///< of one group
  int64_t out_channels = 0;  ///< of one group
  Windows windows;
  Dims output;  ///< full output dimensions
};
/// Checks x against w. Raises kInvalidModel.
TransposeGeometry transpose_geometry(TransposeAttributes attributes, const Dims& x, const Dims& w);

}  // namespace limbeck
