// Which channels go. Internal to lib/distill/shrink.
#pragma once

#include <map>
#include <set>

#include "lib/distill/shrink/channel_cost.h"
#include "lib/distill/shrink/options.h"

namespace limbeck {

/// By the channel's root; larger is dearer, never below zero.
using ChannelImportance = std::map<int32_t, double>;

/// Cuts the channel (the `multiple` channels) with the least importance per cost saved, over all
/// groups, until the cost is at most `target`. A cut that would go more than half a percent of the
/// first cost below the target waits for smaller ones. Every group keeps its smallest part
/// (ShrinkOptions). The result depends on the arguments alone: ties go to the first group. Raises
/// kUsage when the target is out of reach, naming what can be reached.
std::set<int32_t> choose_channels(const ChannelGroups& groups, const ChannelImportance& importance,
                                  const ShrinkOptions& options, double target, ChannelCost cost);

}  // namespace limbeck
