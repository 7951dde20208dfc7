// The teacher's softened probabilities as targets.
#pragma once

#include "lib/base/option_reader.h"
#include "lib/distill/losses/loss.h"

namespace limbeck {

/// G. Hinton, O. Vinyals, J. Dean, "Distilling the Knowledge in a Neural Network", 2015
/// (arXiv:1503.02531), section 2.
///
///   loss = T^2/batch * sum_n KL(p_n || q_n)   p = softmax(teacher / T), q = softmax(student / T)
///   d loss / d student = T/batch * (q - p)
///
/// student, teacher: logits [n, classes]. The factor T^2 keeps the gradient's size when T changes,
/// so that the weight beside a loss on labels stays. Unit: nats (times T^2). The paper minimises
/// the cross-entropy, which differs by the teacher's entropy, a constant.
struct SoftTargetsOptions {
  double temperature = 4;  ///< 0.01 to 1000; higher shows more of the unlikely classes
};
LossResult soft_targets(const LossInput& input, const SoftTargetsOptions& options);

LossTerm make_soft_targets(OptionReader& reader);

}  // namespace limbeck
