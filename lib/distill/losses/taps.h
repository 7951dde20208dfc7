// The options by which a loss names its pair of tensors. Internal to lib/distill/losses.
#pragma once

#include "lib/base/option_reader.h"
#include "lib/distill/losses/loss.h"

namespace limbeck {

/// Reads `student` and `teacher`, both required.
void read_taps(OptionReader& reader, LossTerm& term);
/// Reads them; without both of them the loss works on the logits. Raises kUsage for one alone.
void read_optional_taps(OptionReader& reader, LossTerm& term);

}  // namespace limbeck
