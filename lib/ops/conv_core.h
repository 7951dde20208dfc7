// Convolution as im2col and matrix product, for floats and for integers. Internal to lib/ops.
#pragma once

#include "lib/ops/window.h"

namespace limbeck {

/// Everything a convolution needs beside its data.
struct ConvGeometry {
  int64_t batch = 0;
  int64_t group = 1;
  int64_t in_channels = 0;   ///< of one group
  int64_t out_channels = 0;  ///< of one group
  Windows windows;
  Dims output;  ///< full output dimensions
};

/// Checks x against w. `window` and `group` come from the node.
ConvGeometry conv_geometry(WindowAttributes window, int64_t group, const Dims& x, const Dims& w,
                           const std::string& place);
/// Shape rule of the Conv family: data at input `x`, weight at input `w`.
void conv_family_shape(const ShapeContext& context, size_t x, size_t w, DataType type);

/// Whether the columns of an image are the image itself.
bool is_pointwise(const Windows& windows);

/// columns[channel * kernel + k, output] of one group of one sample; zero outside the image.
template <typename T>
void image_to_columns(const Windows& windows, int64_t channels, const T* x, T* columns);
/// The transpose of image_to_columns: adds every column item to the image element it came from.
template <typename T>
void columns_to_image(const Windows& windows, int64_t channels, const T* columns, T* image);

/// y += conv(x, w); y is already filled with the bias. T: float, double or WrappingInt.
template <typename T>
void convolve(const ConvGeometry& geometry, const T* x, const T* w, T* y);

}  // namespace limbeck
