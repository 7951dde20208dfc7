// Angle between the logits.
#pragma once

#include "lib/base/option_reader.h"
#include "lib/distill/losses/loss.h"

namespace limbeck {

/// One minus the cosine similarity of student's and teacher's logits: 0 (same direction) to 2.
///
///   loss = 1/batch * sum_n (1 - s_n.t_n / (|s_n| |t_n|))
///   d loss / d s_n = -1/batch * (t_n/|t_n| - cos_n s_n/|s_n|) / |s_n|
///
/// student, teacher: logits [n, classes]. Blind to the length of the logits, thus to confidence:
/// combine it with a loss that is not. A row of zeros has no direction: it costs 1 and moves
/// nothing. No options.
LossResult logits_cosine(const LossInput& input);

LossTerm make_logits_cosine(OptionReader& reader);

}  // namespace limbeck
