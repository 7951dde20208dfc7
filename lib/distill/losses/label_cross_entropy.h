// Cross-entropy against the labels.
#pragma once

#include "lib/base/option_reader.h"
#include "lib/distill/losses/loss.h"

namespace limbeck {

/// C. Szegedy et al., "Rethinking the Inception Architecture", CVPR 2016, section 7 (smoothing).
///
///   loss = 1/batch * sum_n sum_k -q_nk log p_nk        p = softmax(student)
///   q = (1 - smoothing) * target + smoothing / classes
///   d loss / d student_nk = (p_nk - q_nk) / batch
///
/// student: logits [n, classes]. The target is the label's one-hot vector or, after mixup, the
/// blend of two. Unit: nats. The same as PyTorch's CrossEntropyLoss.
struct LabelCrossEntropyOptions {
  double smoothing = 0;  ///< share of the target spread over all classes, 0 to 1
};
LossResult label_cross_entropy(const LossInput& input, const LabelCrossEntropyOptions& options);

LossTerm make_label_cross_entropy(OptionReader& reader);

}  // namespace limbeck
