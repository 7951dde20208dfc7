// Takes channels out of a graph. Internal to lib/distill/shrink.
#pragma once

#include <set>

#include "lib/distill/shrink/channel_groups.h"

namespace limbeck {

/// Weights lose the positions of the channels in `roots`; numbers that count channels (groups,
/// sizes of Split, dimensions in Reshape) and declared shapes follow. `map` and `groups` belong to
/// this model and are stale afterwards.
void cut_channels(Model& model, const ChannelMap& map, const ChannelGroups& groups,
                  const std::set<int32_t>& roots);

}  // namespace limbeck
