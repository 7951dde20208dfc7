// Streaming samples for importance. Internal to lib/distill/shrink.
#pragma once

#include <vector>

#include "lib/distill/shrink/shrink.h"
#include "lib/engine/stream.h"

namespace limbeck {

/// At most `samples` of the data, whole batches where the model has a fixed one. Raises kData when
/// there are too few for one.
std::vector<int64_t> shrink_samples(const Model& model, const ShrinkData& data, int64_t samples);
StreamOptions shrink_stream(const Model& model, const ShrinkData& data);

}  // namespace limbeck
