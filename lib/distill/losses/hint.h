// A tensor of the student regressed on one of the teacher.
#pragma once

#include "lib/base/option_reader.h"
#include "lib/distill/losses/loss.h"

namespace limbeck {

/// A. Romero et al., "FitNets: Hints for Thin Deep Nets", ICLR 2015, section 2.2, equation 3, with
/// a 1x1 convolution as regressor, and the mean over the elements where the paper has half their
/// sum, so that the weight does not depend on the taps' size.
///
///   r = adapter * student + bias          adapter [teacher channels, student channels, 1, 1]
///   loss = 1/(batch * c * h * w) * sum (r - teacher)^2
///
/// student, teacher: taps [n, c], [n, c, w] or [n, c, h, w]; the channels may differ. The larger of
/// two sizes is average-pooled to the smaller one. The adapter and its bias train along with the
/// student and are thrown away with the teacher; they start as PyTorch's Conv2d does: uniform in
/// +-1/sqrt(student channels). Unit: the teacher's, squared. Options: the taps.
LossResult hint(const LossInput& input);
std::vector<Tensor> initial_adapter(const Dims& student, const Dims& teacher, uint64_t seed);

LossTerm make_hint(OptionReader& reader);

}  // namespace limbeck
