// Sliding windows of convolution and pooling. Internal to lib/ops.
#pragma once

#include <algorithm>

#include "lib/ops/broadcast.h"
#include "lib/ops/common.h"

namespace limbeck {

/// The attributes that Conv, ConvTranspose and the pools share, as the node gives them.
struct WindowAttributes {
  std::vector<int64_t> kernel;     ///< empty when the weight tells
  std::vector<int64_t> strides;    ///< empty: 1
  std::vector<int64_t> dilations;  ///< empty: 1
  std::vector<int64_t> pads;       ///< begin of each axis, then end of each; empty: 0
  std::string auto_pad;
  bool ceil_mode = false;
};
WindowAttributes read_window(const Node& node);
/// Fills defaults for `axes` spatial axes and checks sizes and signs. `kernel` comes from the
/// weight, when there is one.
void complete_window(WindowAttributes& window, size_t axes, const std::string& place,
                     const Dims& kernel = {});

/// One spatial axis, everything resolved.
struct WindowAxis {
  int64_t input = 0;
  int64_t output = 0;
  int64_t kernel = 1;
  int64_t stride = 1;
  int64_t dilation = 1;
  int64_t pad_begin = 0;
  int64_t pad_end = 0;
};
using Windows = std::vector<WindowAxis>;

/// Output size and pads of axis `axis` for an input of `input`. Raises kInvalidModel when no window
/// fits.
WindowAxis resolve_axis(const WindowAttributes& window, size_t axis, int64_t input,
                        const std::string& place);
/// All axes of dims[2..).
Windows resolve_windows(const WindowAttributes& window, const Dims& dims, const std::string& place);
/// Spatial part of an output shape; unknown input dimensions give unknown output ones.
void append_window_dims(const WindowAttributes& window, const Shape& input, Shape& output,
                        const std::string& place);

Dims output_dims(const Windows& windows);
int64_t input_size(const Windows& windows);
int64_t output_size(const Windows& windows);
int64_t kernel_size(const Windows& windows);
/// Offset within the window along each axis of kernel element `index`.
Dims kernel_position(const Windows& windows, int64_t index);

/// Outputs [first, last) along one axis whose window element `k` lies inside the input.
struct ValidRange {
  int64_t first = 0;
  int64_t last = 0;
};
inline ValidRange valid_outputs(const WindowAxis& axis, int64_t k) {
  const int64_t shift = axis.pad_begin - k * axis.dilation;  // input = output * stride - shift
  const int64_t first = shift > 0 ? (shift + axis.stride - 1) / axis.stride : 0;
  const int64_t room = axis.input - 1 + shift;
  const int64_t last = room < 0 ? 0 : room / axis.stride + 1;
  return {first, std::max(first, std::min(last, axis.output))};
}

/// For kernel element `index`, calls f(output_offset, input_offset, count, input_step) for every
/// run of outputs whose window element lies inside the input.
template <typename F>
void for_each_run(const Windows& windows, int64_t index, F f) {
  const Dims k = kernel_position(windows, index);
  const size_t outer = windows.size() - 1;
  const WindowAxis& inner = windows[outer];
  const ValidRange range = valid_outputs(inner, k[outer]);
  if (range.first >= range.last) return;
  const int64_t inner_start =
      range.first * inner.stride + k[outer] * inner.dilation - inner.pad_begin;
  const Dims dims = output_dims(windows);
  Dims position(outer, 0);
  do {
    int64_t output_row = 0;
    int64_t input_row = 0;
    bool inside = true;
    for (size_t i = 0; i < outer && inside; ++i) {
      const WindowAxis& axis = windows[i];
      const int64_t source = position[i] * axis.stride + k[i] * axis.dilation - axis.pad_begin;
      inside = source >= 0 && source < axis.input;
      input_row = input_row * axis.input + source;
      output_row = output_row * axis.output + position[i];
    }
    if (!inside) continue;
    f(output_row * inner.output + range.first, input_row * inner.input + inner_start,
      range.last - range.first, inner.stride);
  } while (next_position(position, dims, outer));
}

}  // namespace limbeck
