// What a channel is worth. Internal to lib/distill/shrink.
#pragma once

#include "lib/distill/shrink/choose_channels.h"
#include "lib/distill/shrink/shrink.h"

namespace limbeck {

/// Without data. Per layer, the energy of a channel is
///   |w|^2 + b^2 over the weights w that make it and their bias b, or
///   gamma^2 + beta^2 when BatchNormalization follows: what it gives has unit variance times
///   gamma^2 around beta (the criterion of Z. Liu et al., "Network Slimming", ICCV 2017, with the
///   shift),
/// and |v|^2 over the weights v that read it; both are divided by their mean over the layer. A
/// channel that n such layers share is worth n * sqrt(mean energy made * mean energy read): zero as
/// soon as nothing makes it or nothing reads it, and growing with the layers that it takes part in,
/// as the cost that it saves does.
ChannelImportance weight_importance(const ChannelMap& map, const ChannelGroups& groups);

/// On data: how far the teacher's predictions would move, to second order. For a batch of n samples
/// whose labels y are drawn from the teacher's own softmax, let s = d/dw [sum log p(y)] * w, summed
/// over the parameters w that make the channel (all slices of one gate: weights and bias, or scale
/// and shift of BatchNormalization). The importance is the mean over the samples of s^2 / 2, summed
/// over the gates that the channel shares.
///
/// This is the first-order Taylor criterion of P. Molchanov et al., "Importance Estimation for
/// Neural Network Pruning", CVPR 2019, on gates. Because the labels are the teacher's,
/// E[s] is zero and E[s^2] / 2 is, with the Fisher information as curvature, KL(teacher || teacher
/// without the channel) in nats: what distillation has to repair. True labels are not needed, and
/// the soft-target loss itself would not do: its gradient vanishes where student and teacher agree.
///
/// The same numbers for any number of threads. Raises kUnsupported when the model's first output is
/// not [samples, classes], kData as the data set does.
ChannelImportance gradient_importance(const Model& model, const ChannelMap& map,
                                      const ChannelGroups& groups, const ShrinkData& data,
                                      int64_t samples);

}  // namespace limbeck
