// Soft targets with the label's class and the other classes weighed apart.
#pragma once

#include "lib/base/option_reader.h"
#include "lib/distill/losses/loss.h"

namespace limbeck {

/// B. Zhao et al., "Decoupled Knowledge Distillation", CVPR 2022, sections 3.1 and 3.3.
///
///   loss = T^2/batch * sum_n (alpha * TCKD_n + beta * NCKD_n)
///   TCKD = KL(b_teacher || b_student)     b = (p_label, 1 - p_label), p = softmax(logits / T)
///   NCKD = KL(o_teacher || o_student)     o = softmax(logits / T) over all classes but the label
///
/// With x = student/T, p and o of the student, P and O of the teacher:
///   d TCKD / d x_label = p_label - P_label,    d TCKD / d x_k = (P_label - p_label) * o_k
///   d NCKD / d x_label = 0,                    d NCKD / d x_k = o_k - O_k
///
/// student, teacher: logits [n, classes], at least two classes. alpha = 1 and beta = 1 - P_label
/// would be soft_targets. A label blended by mixup gives the blend of its two losses. Unit: nats
/// (times T^2). The paper lets the weight grow from 0 over the first 20 epochs where beta is large.
struct DecoupledOptions {
  double alpha = 1;        ///< weight of TCKD, 0 to 1000
  double beta = 8;         ///< weight of NCKD, 0 to 1000; the paper tries 1 to 10
  double temperature = 4;  ///< 0.01 to 1000
};
LossResult decoupled(const LossInput& input, const DecoupledOptions& options);

LossTerm make_decoupled(OptionReader& reader);

}  // namespace limbeck
