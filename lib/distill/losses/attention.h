// Where the teacher looks: the energy over the channels, position by position.
#pragma once

#include "lib/base/option_reader.h"
#include "lib/distill/losses/loss.h"

namespace limbeck {

/// S. Zagoruyko, N. Komodakis, "Paying More Attention to Attention", ICLR 2017, section 3.1,
/// equation 2, in the form that its authors train with: squared differences, mean over the
/// positions.
///
///   q_n = sum over the channels of |tap_n|^power, a vector over the h * w positions
///   loss = 1/(batch * h * w) * sum_n | q_student/|q_student| - q_teacher/|q_teacher| |^2
///
/// student, teacher: taps [n, c, h, w] or [n, c, w]; the channels may differ; the larger size is
/// average-pooled to the smaller one. No unit: blind to scale. The authors train with weights near
/// 1000 for each pair. A map of zeros has no direction: its q/|q| counts as zeros.
struct AttentionOptions {
  double power = 2;  ///< 1 to 8; higher looks at the strongest channels only
};
LossResult attention(const LossInput& input, const AttentionOptions& options);

LossTerm make_attention(OptionReader& reader);

}  // namespace limbeck
