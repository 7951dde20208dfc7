// Fewer channels until a target is met. Internal to lib/distill/shrink.
#pragma once

#include "lib/distill/shrink/shrink.h"

namespace limbeck {

/// Cuts channels until the cost that the options count is at most `target`. Importance from
/// gradients is measured anew whenever another tenth of the cost is gone: channels that stood in
/// for each other become dear once the others are cut. Shapes must be known but for the batch, and
/// are afterwards. Raises kUnsupported when there is nothing to cut and kUsage when the target is
/// out of reach.
void narrow(Model& model, const ShrinkOptions& options, const ShrinkData* data, double target);

}  // namespace limbeck
