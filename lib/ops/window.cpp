#include "lib/ops/window.h"

namespace limbeck {
namespace {

constexpr int64_t kMaxAttribute = int64_t{1} << 30;

void complete(std::vector<int64_t>& list, size_t count, int64_t fallback, int64_t least,
              const std::string& what) {
  if (list.empty()) list.assign(count, fallback);
  if (list.size() != count)
    fail_model(what, "the list must have " + std::to_string(count) + " items", dims_text(list));
  for (const int64_t item : list) {
    if (item < least || item > kMaxAttribute) {
      fail_model(what, "each item must be between " + std::to_string(least) + " and 2^30",
                 std::to_string(item));
    }
  }
}

int64_t divide_up(int64_t a, int64_t b) { return (a + b - 1) / b; }

void pad_same(WindowAxis& axis, bool upper) {
  axis.output = divide_up(axis.input, axis.stride);
  const int64_t extent = axis.dilation * (axis.kernel - 1) + 1;
  const int64_t total = std::max<int64_t>((axis.output - 1) * axis.stride + extent - axis.input, 0);
  axis.pad_begin = upper ? total / 2 : total - total / 2;
  axis.pad_end = total - axis.pad_begin;
}

}  // namespace

WindowAttributes read_window(const Node& node) {
  WindowAttributes window;
  window.kernel = node.ints_attribute("kernel_shape", {});
  window.strides = node.ints_attribute("strides", {});
  window.dilations = node.ints_attribute("dilations", {});
  window.pads = node.ints_attribute("pads", {});
  window.auto_pad = node.string_attribute("auto_pad", "NOTSET");
  window.ceil_mode = node.int_attribute("ceil_mode", 0) != 0;
  const std::string& pad = window.auto_pad;
  if (pad != "NOTSET" && pad != "VALID" && pad != "SAME_UPPER" && pad != "SAME_LOWER") {
    fail_model(node.place(), "auto_pad must be NOTSET, VALID, SAME_UPPER or SAME_LOWER", pad);
  }
  return window;
}

void complete_window(WindowAttributes& window, size_t axes, const std::string& place,
                     const Dims& kernel) {
  if (axes == 0)
    fail_model(place, "the input must have at least one spatial axis", "rank 2 or less");
  if (!kernel.empty()) {
    if (!window.kernel.empty() && window.kernel != kernel) {
      fail_model(place, "kernel_shape must agree with the weight, " + dims_text(kernel),
                 dims_text(window.kernel));
    }
    window.kernel = kernel;
  }
  if (window.kernel.empty()) fail_model(place, "kernel_shape must be given", "none");
  complete(window.kernel, axes, 1, 1, place + " kernel_shape");
  complete(window.strides, axes, 1, 1, place + " strides");
  complete(window.dilations, axes, 1, 1, place + " dilations");
  complete(window.pads, 2 * axes, 0, 0, place + " pads");
}

WindowAxis resolve_axis(const WindowAttributes& window, size_t axis, int64_t input,
                        const std::string& place) {
  WindowAxis result{input, 0, window.kernel[axis], window.strides[axis], window.dilations[axis],
                    0,     0};
  if (window.auto_pad == "SAME_UPPER" || window.auto_pad == "SAME_LOWER") {
    pad_same(result, window.auto_pad == "SAME_UPPER");
    return result;
  }
  if (window.auto_pad == "NOTSET") {
    result.pad_begin = window.pads[axis];
    result.pad_end = window.pads[window.kernel.size() + axis];
  }
  const int64_t room =
      input + result.pad_begin + result.pad_end - (result.dilation * (result.kernel - 1) + 1);
  check_model(room >= 0, place, "the window must fit into the padded input; room left over", room);
  result.output = (window.ceil_mode ? divide_up(room, result.stride) : room / result.stride) + 1;
  // With ceil_mode, a window that would start in the right padding does not count.
  if (window.ceil_mode && (result.output - 1) * result.stride >= input + result.pad_begin)
    --result.output;
  return result;
}

Windows resolve_windows(const WindowAttributes& window, const Dims& dims,
                        const std::string& place) {
  Windows windows;
  for (size_t i = 2; i < dims.size(); ++i)
    windows.push_back(resolve_axis(window, i - 2, dims[i], place));
  return windows;
}

void append_window_dims(const WindowAttributes& window, const Shape& input, Shape& output,
                        const std::string& place) {
  for (size_t i = 2; i < input.size(); ++i) {
    output.push_back(input[i].known()
                         ? Dim{resolve_axis(window, i - 2, input[i].value, place).output, ""}
                         : Dim{});
  }
}

Dims output_dims(const Windows& windows) {
  Dims dims;
  for (const WindowAxis& axis : windows) dims.push_back(axis.output);
  return dims;
}

int64_t input_size(const Windows& windows) {
  int64_t size = 1;
  for (const WindowAxis& axis : windows) size *= axis.input;
  return size;
}

int64_t output_size(const Windows& windows) {
  int64_t size = 1;
  for (const WindowAxis& axis : windows) size *= axis.output;
  return size;
}

int64_t kernel_size(const Windows& windows) {
  int64_t size = 1;
  for (const WindowAxis& axis : windows) size *= axis.kernel;
  return size;
}

Dims kernel_position(const Windows& windows, int64_t index) {
  Dims position(windows.size(), 0);
  for (size_t i = windows.size(); i-- > 0;) {
    position[i] = index % windows[i].kernel;
    index /= windows[i].kernel;
  }
  return position;
}

}  // namespace limbeck
