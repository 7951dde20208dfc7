// Squared difference of the logits.
#pragma once

#include "lib/base/option_reader.h"
#include "lib/distill/losses/loss.h"

namespace limbeck {

/// J. Ba, R. Caruana, "Do Deep Nets Really Need to be Deep?", NIPS 2014, section 2.2 (there half
/// the sum over the classes; here the mean over them, so that the weight does not depend on how
/// many there are).
///
///   loss = 1/(batch * classes) * sum_nk (student_nk - teacher_nk)^2
///   d loss / d student = 2/(batch * classes) * (student - teacher)
///
/// student, teacher: logits [n, classes]. Unit: that of the logits, squared. No options.
LossResult logits_mse(const LossInput& input);

LossTerm make_logits_mse(OptionReader& reader);

}  // namespace limbeck
