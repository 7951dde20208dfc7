// Pad with a fill element other than the node's. Internal to lib/ops.
#pragma once

#include "lib/ops/common.h"

namespace limbeck {

/// `value` takes the place of the attribute "value" that Pad has before opset 11.
std::unique_ptr<Kernel> make_pad(const Node& node, int64_t opset, float value);

}  // namespace limbeck
