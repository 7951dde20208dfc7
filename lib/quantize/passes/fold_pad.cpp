#include <algorithm>
#include <optional>

#include "lib/quantize/passes/passes.h"
#include "lib/quantize/passes/rewrite.h"

namespace limbeck {
namespace {

using Ints = std::vector<int64_t>;

std::optional<Ints> constant_ints(const Value* value) {
  if (value == nullptr || value->constant() == nullptr) return std::nullopt;
  return value->constant()->to_int64();
}

bool pads_with_zero(const Node& pad, int64_t opset) {
  if (pad.string_attribute("mode", "constant") != "constant") return false;
  if (opset < 11) return pad.float_attribute("value", 0.0F) == 0.0F;
  return pad.input(2) == nullptr || scalar_constant(pad.input(2)) == 0.0F;
}

/// Begin and end padding of every axis ("begins, then ends", ONNX), or absent when computed at run
/// time.
std::optional<Ints> all_pads(const Node& pad, int64_t opset, size_t rank) {
  if (opset < 11) return pad.ints_attribute("pads", {});
  const auto pads = constant_ints(pad.input(1));
  if (!pads || pad.input(3) == nullptr) return pads;
  const auto axes = constant_ints(pad.input(3));
  if (!axes || pads->size() != 2 * axes->size()) return std::nullopt;
  Ints full(2 * rank, 0);
  for (size_t i = 0; i < axes->size(); ++i) {
    const int64_t axis = (*axes)[i] < 0 ? (*axes)[i] + static_cast<int64_t>(rank) : (*axes)[i];
    if (axis < 0 || axis >= static_cast<int64_t>(rank)) return std::nullopt;
    full[static_cast<size_t>(axis)] = (*pads)[i];
    full[rank + static_cast<size_t>(axis)] = (*pads)[axes->size() + i];
  }
  return full;
}

/// Padding of the spatial axes alone; absent when batch or channels are padded, or anything is
/// cropped.
std::optional<Ints> spatial_pads(const Node& pad, int64_t opset, size_t rank) {
  const auto full = all_pads(pad, opset, rank);
  if (!full || full->size() != 2 * rank || rank < 3 || !pads_with_zero(pad, opset))
    return std::nullopt;
  Ints spatial;
  for (size_t i = 0; i < full->size(); ++i) {
    const bool is_spatial = i % rank >= 2;
    if ((*full)[i] < 0 || (!is_spatial && (*full)[i] != 0)) return std::nullopt;
    if (is_spatial) spatial.push_back((*full)[i]);
  }
  return spatial;
}

bool has_explicit_pads(const Node& node) {
  const std::string mode = node.string_attribute("auto_pad", "NOTSET");
  return mode == "NOTSET" || mode == "VALID";
}

bool is_non_negative(const Value* value, int64_t opset) {
  const Node* node = value->producer();
  if (is_op(node, "Relu") || is_op(node, "Sigmoid")) return true;
  if (!is_op(node, "Clip")) return false;
  const auto bounds = clip_bounds(*node, opset);
  return bounds && bounds->low >= 0.0F && bounds->high >= 0.0F;
}

/// A pool takes zero padding when each window still sees an element and windows stay where they
/// are.
bool pool_takes(const Node& pool, const Ints& pads) {
  const Ints kernel = pool.ints_attribute("kernel_shape", {});
  const Ints own = pool.ints_attribute("pads", {});
  const Ints dilations = pool.ints_attribute("dilations", {});
  const auto is_one = [](int64_t dilation) { return dilation == 1; };
  if (kernel.size() * 2 != pads.size() || pool.int_attribute("ceil_mode", 0) != 0) return false;
  if (!std::all_of(dilations.begin(), dilations.end(), is_one)) return false;
  for (size_t i = 0; i < pads.size(); ++i) {
    if ((i < own.size() && own[i] != 0) || pads[i] >= kernel[i % kernel.size()]) return false;
  }
  return true;
}

bool takes_padding(const Node& node, const Ints& pads, const Value* padded, int64_t opset) {
  if (!has_explicit_pads(node)) return false;
  if (is_op(&node, "Conv")) return true;
  if (is_op(&node, "AveragePool")) return pool_takes(node, pads);
  const bool only_maximum = is_op(&node, "MaxPool") && node.output(1) == nullptr;
  return only_maximum && is_non_negative(padded, opset) && pool_takes(node, pads);
}

bool fold_one(Graph& graph, Node* node, int64_t opset) {
  Value* padded = node->input(0);
  if (padded == nullptr || !is_op(padded->producer(), "Pad") || !is_private(padded)) return false;
  Node* pad = padded->producer();
  Value* source = pad->input(0);
  const Value* weight = is_op(node, "Conv") ? node->input(1) : nullptr;
  const auto& shape = weight != nullptr ? weight->shape : padded->shape;
  if (source == nullptr || !shape || !can_bypass(padded, source)) return false;
  auto pads = spatial_pads(*pad, opset, shape->size());
  if (!pads || !takes_padding(*node, *pads, source, opset)) return false;
  const Ints own = node->string_attribute("auto_pad", "NOTSET") == "NOTSET"
                       ? node->ints_attribute("pads", {})
                       : Ints{};
  if (!own.empty() && own.size() != pads->size()) return false;
  for (size_t i = 0; i < own.size(); ++i) (*pads)[i] += own[i];
  node->remove_attribute("auto_pad");
  node->set_attribute("pads", *pads);
  if (is_op(node, "AveragePool")) node->set_attribute("count_include_pad", int64_t{1});
  graph.set_input(node, 0, source);
  graph.remove_node(pad);
  return true;
}

}  // namespace

size_t fold_pad(Graph& graph, int64_t opset) {
  size_t rewrites = 0;
  for (Node* node : snapshot(graph)) {
    if (!is_op(node, "Conv") && !is_op(node, "AveragePool") && !is_op(node, "MaxPool")) continue;
    if (fold_one(graph, node, opset)) ++rewrites;
  }
  return rewrites;
}

}  // namespace limbeck
