#include "lib/engine/conv_window.h"

#include <algorithm>

namespace limbeck {
namespace {

bool all_at_least(const Dims& values, int64_t minimum) {
  return std::all_of(values.begin(), values.end(),
                     [minimum](int64_t value) { return value >= minimum; });
}

/// The pads of a Pad node when it fills with zeros, else nothing.
std::optional<std::vector<int64_t>> zero_pads(const Scope& scope, const Node& node) {
  if (node.string_attribute("mode", "constant") != "constant" || node.input(3) != nullptr)
    return std::nullopt;
  if (node.has_attribute("pads")) {
    if (node.float_attribute("value", 0) != 0) return std::nullopt;
    return node.ints_attribute("pads", {});
  }
  const Tensor* pads = scope.constant(node.input(1));
  if (pads == nullptr || pads->type() != DataType::kInt64) return std::nullopt;
  if (node.input(2) != nullptr) {
    const Tensor* fill = scope.constant(node.input(2));
    if (fill == nullptr || fill->count() != 1 || fill->to_float()[0] != 0) return std::nullopt;
  }
  return pads->to_int64();
}

}  // namespace

std::optional<Window> conv_window(const Node& node, const Dims& kernel) {
  const size_t spatial = kernel.size();
  Window window;
  window.kernel = kernel;
  window.strides = node.ints_attribute("strides", Dims(spatial, 1));
  window.dilations = node.ints_attribute("dilations", Dims(spatial, 1));
  window.pads = node.ints_attribute("pads", Dims(2 * spatial, 0));
  window.auto_pad = node.string_attribute("auto_pad", "NOTSET");
  if (window.auto_pad == "VALID") window.pads = Dims(2 * spatial, 0);
  const bool lengths = window.strides.size() == spatial && window.dilations.size() == spatial &&
                       window.pads.size() == 2 * spatial;
  const bool values = all_at_least(window.strides, 1) && all_at_least(window.dilations, 1) &&
                      all_at_least(window.pads, 0) && all_at_least(kernel, 1);
  if (!lengths || !values || spatial == 0 || spatial > 3) return std::nullopt;
  return window;
}

const Value* absorb_padding(const Scope& scope, const Value* value, Window& window) {
  const Node* pad = scope.producer(value, "Pad");
  if (pad == nullptr || !scope.is_inner(value) || window.auto_pad != "NOTSET") return value;
  const auto pads = zero_pads(scope, *pad);
  const size_t spatial = window.kernel.size();
  const size_t rank = spatial + 2;
  if (!pads || pads->size() != 2 * rank || !all_at_least(*pads, 0)) return value;
  for (const size_t axis : {size_t{0}, size_t{1}}) {
    if ((*pads)[axis] != 0 || (*pads)[axis + rank] != 0) return value;
  }
  for (size_t i = 0; i < spatial; ++i) {
    window.pads[i] += (*pads)[i + 2];
    window.pads[i + spatial] += (*pads)[i + 2 + rank];
  }
  return pad->input(0);
}

}  // namespace limbeck
