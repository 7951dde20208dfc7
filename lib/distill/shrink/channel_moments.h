// Mean and variance of activations by channel. Internal to lib/distill/shrink.
#pragma once

#include <string>
#include <vector>

#include "lib/distill/shrink/shrink.h"

namespace limbeck {

/// Over samples and positions, one number a channel (axis 1). The variance is the population's.
struct ChannelMoments {
  std::vector<double> mean;
  std::vector<double> variance;
};

/// Those of the named values, in the same order; the same bits for any number of threads.
std::vector<ChannelMoments> measure_moments(const Model& model,
                                            const std::vector<std::string>& values,
                                            const ShrinkData& data, int64_t samples);

}  // namespace limbeck
