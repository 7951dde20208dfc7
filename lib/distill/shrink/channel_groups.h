// The channels that can be cut, and what each of them consists of. Internal to lib/distill/shrink.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "lib/distill/shrink/channel_map.h"

namespace limbeck {

/// An axis of a weight; `roots` has the channel of every position.
struct ChannelAxis {
  const Value* value = nullptr;
  size_t axis = 0;
  std::vector<int32_t> roots;
};

/// How many positions of which axes (indices into ChannelGroups::axes) a channel takes; sorted.
using ChannelExtent = std::vector<std::pair<size_t, int64_t>>;

/// Channels of the same extent: exchangeable but for their importance.
struct ChannelGroup {
  ChannelExtent extent;
  std::vector<int32_t> channels;  ///< roots, ascending
  size_t before = 0;              ///< channels before the first cut, which minima refer to
};

struct ChannelGroups {
  std::vector<ChannelAxis> axes;  ///< in the order of the graph's values
  /// Without frozen channels; in the order of their first one.
  std::vector<ChannelGroup> groups;
};

ChannelGroups group_channels(const Model& model, const ChannelMap& map);

}  // namespace limbeck
