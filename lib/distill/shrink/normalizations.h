// BatchNormalization where an exporter folded it away, and its statistics after a cut. Internal to
// lib/distill/shrink.
#pragma once

#include <vector>

#include "lib/distill/shrink/shrink.h"

namespace limbeck {

/// Puts a BatchNormalization with scale 1, shift 0, mean 0 and variance 1 behind every Conv with
/// stored weights. Does nothing, and returns none, where the model has one already.
std::vector<Node*> insert_normalizations(Graph& graph);

/// The same, with the mean and variance of what the Convs give on data, and the scale and shift
/// that undo them: the model computes what it computed.
void unfold_normalizations(Model& model, const ShrinkData& data, int64_t samples);

/// Running means and variances become those of the model as it is, measured on batches of 16 that
/// are normalised by their own statistics, as in training, and pooled over all of them: what a cut
/// takes from the mean and the energy of a layer's outputs is given back (B. Li et al., "EagleEye",
/// ECCV 2020). Does nothing where the model has no BatchNormalization or fixes a
/// smaller batch.
void measure_statistics(Model& model, const ShrinkData& data, int64_t samples);

}  // namespace limbeck
