// Layers go on with the mean of what was cut. Internal to lib/distill/shrink.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "lib/distill/shrink/channel_map.h"
#include "lib/distill/shrink/shrink.h"

namespace limbeck {

/// What a layer loses on average, one number for each output channel that stays.
struct LostMean {
  std::string node;
  std::vector<double> lost;
};

/// For every Conv and Gemm that reads cut channels c: sum over c of E[x_c] times the sum of the
/// weights that read x_c; the mean is over samples and positions (U. Evci et al., "Mean Replacement
/// Pruning", 2018). Zero padding is taken for interior. To be called before the cut.
std::vector<LostMean> lost_means(const Model& model, const ChannelMap& map,
                                 const std::set<int32_t>& cut, const ShrinkData& data,
                                 int64_t samples);

/// Adds them to the biases, which are made where there are none; where BatchNormalization alone
/// reads the layer, its running mean gives way instead. To be called after the cut.
void restore_means(Model& model, const std::vector<LostMean>& means);

}  // namespace limbeck
