// How far the samples of a shard lie from each other.
#pragma once

#include "lib/base/option_reader.h"
#include "lib/distill/losses/loss.h"

namespace limbeck {

/// W. Park et al., "Relational Knowledge Distillation", CVPR 2019, section 3.2
/// (distance-wise loss).
///
///   d_ij = |x_i - x_j|,  mean = average of the d_ij above zero,  r_ij = d_ij / mean
///   loss = n/batch * 1/n^2 * sum_ij huber(r_ij(student) - r_ij(teacher))
///
/// i and j run over the n samples of the shard, i = j included, as in the authors' code: the
/// average over pairs, weighed by the shard's part of the batch. So the value depends on how a
/// batch is cut into shards (which is fixed), not on threads. student, teacher: logits or taps [n,
/// ...], each sample one vector; their lengths may differ. No unit: blind to scale. The authors
/// weigh it by 25. Samples that coincide have no direction: they move nothing. Needs two samples a
/// shard. Options: the taps, optional.
LossResult relation_distance(const LossInput& input);

LossTerm make_relation_distance(OptionReader& reader);

}  // namespace limbeck
