#include "lib/distill/shrink/channel_groups.h"

#include <map>

namespace limbeck {
namespace {

ChannelAxis axis_of(const ChannelMap& map, const Value* value, size_t axis, const Labels& labels) {
  ChannelAxis result{value, axis, {}};
  for (const int32_t label : labels) result.roots.push_back(map.root(label));
  return result;
}

std::vector<ChannelAxis> labelled_axes(const Model& model, const ChannelMap& map) {
  std::vector<ChannelAxis> axes;
  for (const Value* value : model.graph.values()) {
    const Tensor* constant = value->constant();
    for (size_t axis = 0; constant != nullptr && axis < constant->rank(); ++axis) {
      if (const Labels* labels = map.find(value, axis))
        axes.push_back(axis_of(map, value, axis, *labels));
    }
  }
  return axes;
}

std::map<int32_t, ChannelExtent> extents_of(const std::vector<ChannelAxis>& axes) {
  std::map<int32_t, ChannelExtent> extents;
  for (size_t i = 0; i < axes.size(); ++i) {
    for (const int32_t root : axes[i].roots) {
      ChannelExtent& extent = extents[root];
      if (extent.empty() || extent.back().first != i) extent.emplace_back(i, 0);
      ++extent.back().second;
    }
  }
  return extents;
}

}  // namespace

ChannelGroups group_channels(const Model& model, const ChannelMap& map) {
  ChannelGroups result;
  result.axes = labelled_axes(model, map);
  const auto frozen = map.frozen_roots();
  std::map<ChannelExtent, size_t> places;
  for (const auto& [root, extent] : extents_of(result.axes)) {
    if (frozen.contains(root)) continue;
    const auto [place, is_new] = places.try_emplace(extent, result.groups.size());
    if (is_new) result.groups.push_back({extent, {}, 0});
    result.groups[place->second].channels.push_back(root);
    ++result.groups[place->second].before;
  }
  return result;
}

}  // namespace limbeck
