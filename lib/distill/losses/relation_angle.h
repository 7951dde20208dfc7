// The angles of the triangles that the samples of a shard form.
#pragma once

#include "lib/base/option_reader.h"
#include "lib/distill/losses/loss.h"

namespace limbeck {

/// W. Park et al., "Relational Knowledge Distillation", CVPR 2019, section 3.2
/// (angle-wise loss).
///
///   e_ij = (x_i - x_j) / |x_i - x_j|,  a_ijk = e_ij . e_kj: the cosine of the angle at x_j
///   loss = n/batch * 1/n^3 * sum_ijk huber(a_ijk(student) - a_ijk(teacher))
///
/// All triples of the shard's n samples count, those with equal members too, as in the authors'
/// code: the average over triples, weighed by the shard's part of the batch. student, teacher:
/// logits or taps [n, ...], each sample one vector; their lengths may differ. No unit. The authors
/// weigh it by 50. Samples that coincide have e = 0. Costs n^2 * (n + length)
/// operations. Options: the
/// taps, optional.
LossResult relation_angle(const LossInput& input);

LossTerm make_relation_angle(OptionReader& reader);

}  // namespace limbeck
