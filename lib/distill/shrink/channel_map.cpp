#include "lib/distill/shrink/channel_map.h"

#include <numeric>

#include "lib/distill/shrink/channel_rules.h"

namespace limbeck {

const Labels* ChannelMap::find(const Value* value, size_t axis) const {
  const auto found = axes_.find(value);
  if (found == axes_.end() || axis >= found->second.size()) return nullptr;
  return found->second[axis].empty() ? nullptr : &found->second[axis];
}

Labels ChannelMap::fresh(size_t count) {
  Labels labels(count);
  std::iota(labels.begin(), labels.end(), static_cast<int32_t>(parents_.size()));
  parents_.insert(parents_.end(), labels.begin(), labels.end());
  return labels;
}

Labels ChannelMap::fixed(size_t count, const std::string& reason) {
  Labels labels = fresh(count);
  freeze(labels, reason);
  return labels;
}

int32_t ChannelMap::root(int32_t label) const {
  auto& parents = parents_;
  int32_t current = label;
  while (parents[static_cast<size_t>(current)] != current) {
    int32_t& parent = parents[static_cast<size_t>(current)];
    parent = parents[static_cast<size_t>(parent)];
    current = parent;
  }
  return current;
}

void ChannelMap::tie(int32_t a, int32_t b) {
  const int32_t first = root(a);
  const int32_t second = root(b);
  parents_[static_cast<size_t>(std::max(first, second))] = std::min(first, second);
}

void ChannelMap::tie(const Labels& a, const Labels& b) {
  for (size_t i = 0; i < a.size(); ++i) tie(a[i], b[i]);
}

void ChannelMap::put(const Value* value, size_t axis, const Labels& labels) {
  auto& axes = axes_[value];
  if (axes.size() <= axis) axes.resize(axis + 1);
  if (axes[axis].empty()) {
    axes[axis] = labels;
  } else {
    tie(axes[axis], labels);
  }
}

void ChannelMap::freeze(const Labels& labels, const std::string& reason) {
  for (const int32_t label : labels) freezes_.push_back({label, reasons_.size()});
  reasons_.push_back(reason);
}

void ChannelMap::freeze(const Value* value, const std::string& reason) {
  if (const Tensor* constant = value->constant()) {
    for (size_t axis = 0; axis < constant->rank(); ++axis)
      put(value, axis, fixed(static_cast<size_t>(constant->dim(axis)), reason));
    return;
  }
  const auto found = axes_.find(value);
  if (found == axes_.end()) return;
  for (const Labels& labels : found->second) freeze(labels, reason);
}

std::unordered_map<int32_t, std::string> ChannelMap::frozen_roots() const {
  std::unordered_map<int32_t, std::string> roots;
  for (const Freeze& freeze : freezes_) roots.emplace(root(freeze.label), reasons_[freeze.reason]);
  return roots;
}

ChannelMap map_channels(const Model& model) {
  ChannelMap map;
  for (const auto& node : model.graph.nodes()) {
    const int64_t opset = model.opset(node->domain());
    const ChannelRule rule = find_channel_rule(node->domain(), node->op_type());
    if (rule != nullptr && rule({*node, opset, map})) continue;
    for (const Value* input : node->inputs()) {
      if (input != nullptr)
        map.freeze(input, "they reach " + node->place() + ", which cannot be narrowed");
    }
  }
  for (const Value* value : model.graph.values()) {
    if (value->is_graph_output())
      map.freeze(value, "they reach the output '" + value->name() + "'");
    if (value->captured_by_subgraph())
      map.freeze(value, "a subgraph reads '" + value->name() + "'");
  }
  return map;
}

}  // namespace limbeck
