// Which channels go. Internal to lib/distill/shrink.
#pragma once

#include <map>
#include <set>

#include "lib/distill/shrink/channel_cost.h"
#include "lib/distill/shrink/options.h"

namespace limbeck {

/// By the channel's root; larger is dearer, never below zero.
using ChannelImportance = std::map<int32_t, double>;

struct ChannelChoice {
  std::set<int32_t> channels;  ///< that go, by root
  double cost = 0;             ///< of what stays
};

/// Cuts the channel (the `multiple` channels) with the least importance per cost saved, over all
/// groups, until the cost is at most `target` or nothing is left to cut: every group keeps its
/// smallest part (ShrinkOptions). A cut that would go more than half a percent of the first cost
/// below the target waits for smaller ones. The result depends on the arguments alone: ties go to
/// the first group.
ChannelChoice choose_channels(const ChannelGroups& groups, const ChannelImportance& importance,
                              const ShrinkOptions& options, double target, ChannelCost cost);

}  // namespace limbeck
