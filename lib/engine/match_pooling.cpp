#include <algorithm>

#include "lib/engine/conv_window.h"
#include "lib/engine/match_float.h"
#include "lib/engine/onednn/pooling.h"

namespace limbeck {
namespace {

std::optional<onednn::PoolingSpec> global_spec(const Scope& scope, const Node& node) {
  onednn::PoolingSpec spec;
  spec.place = node.place();
  spec.global = true;
  const std::string& op = node.op_type();
  const bool mean = reduces_image(scope, node);
  if (!mean && op != "GlobalAveragePool" && op != "GlobalMaxPool") return std::nullopt;
  spec.average = op != "GlobalMaxPool";
  spec.drop_spatial = mean && node.int_attribute("keepdims", 1) == 0;
  return spec;
}

std::optional<onednn::PoolingSpec> window_spec(const Node& node) {
  const bool average = node.op_type() == "AveragePool";
  if (!average && node.op_type() != "MaxPool") return std::nullopt;
  const auto window = conv_window(node, node.ints_attribute("kernel_shape", {}));
  if (!window || node.int_attribute("storage_order", 0) != 0) return std::nullopt;
  onednn::PoolingSpec spec;
  spec.place = node.place();
  spec.average = average;
  spec.count_include_pad = node.int_attribute("count_include_pad", 0) != 0;
  spec.ceil_mode = node.int_attribute("ceil_mode", 0) != 0;
  if (average && spec.ceil_mode) return std::nullopt;
  spec.kernel = window->kernel;
  spec.strides = window->strides;
  spec.dilations = window->dilations;
  spec.pads = window->pads;
  spec.auto_pad = window->auto_pad;
  return spec;
}

}  // namespace

bool reduces_image(const Scope& scope, const Node& node) {
  const Value* input = node.input(0);
  if (node.op_type() != "ReduceMean" || !input->shape || input->shape->size() < 3) return false;
  const auto rank = static_cast<int64_t>(input->shape->size());
  std::vector<int64_t> axes = node.ints_attribute("axes", {});
  if (const Tensor* tensor = scope.constant(node.input(1))) axes = tensor->to_int64();
  for (int64_t& axis : axes) axis += axis < 0 ? rank : 0;
  std::sort(axes.begin(), axes.end());
  if (static_cast<int64_t>(axes.size()) != rank - 2) return false;
  for (size_t i = 0; i < axes.size(); ++i) {
    if (axes[i] != static_cast<int64_t>(i) + 2) return false;
  }
  return true;
}

std::optional<Selection> match_max_pooling(const Node& node) {
  const Value* input = node.input(0);
  if (!input->shape || input->shape->size() < 3 || input->shape->size() > 5) return std::nullopt;
  auto spec = node.op_type() == "MaxPool" ? window_spec(node) : std::nullopt;
  if (!spec) return std::nullopt;
  Selection selection;
  selection.kernel = onednn::make_pooling(std::move(*spec));
  return selection;
}

std::optional<Selection> match_pooling(const Scope& scope, const Node& tail) {
  if (!tail.domain().empty() || tail.input(0) == nullptr || tail.input(0)->type != DataType::kFloat)
    return std::nullopt;
  const Value* input = tail.input(0);
  if (!input->shape || input->shape->size() < 3 || input->shape->size() > 5) return std::nullopt;
  auto spec = global_spec(scope, tail);
  if (!spec) spec = window_spec(tail);
  if (!spec) return std::nullopt;
  Selection selection;
  selection.inputs = {input};
  selection.kernel = onednn::make_pooling(std::move(*spec));
  return selection;
}

}  // namespace limbeck
