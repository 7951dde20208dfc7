// Strides, padding and the like of a Conv or pooling node, with ONNX's defaults filled in.
#pragma once

#include <optional>
#include <string>

#include "lib/engine/scope.h"

namespace limbeck {

struct Window {
  Dims kernel;
  Dims strides;
  Dims dilations;
  Dims pads;  ///< all begins, then all ends
  std::string auto_pad;
};

/// `spatial`: number of spatial dimensions. Nothing when an attribute has another length or a value
/// below its minimum.
std::optional<Window> conv_window(const Node& node, const Dims& kernel);

/// When `value` is a Pad with constant zeros on spatial dimensions only, and can vanish: its input,
/// and the pads are added to `window`. Otherwise `value` itself.
const Value* absorb_padding(const Scope& scope, const Value* value, Window& window);

}  // namespace limbeck
