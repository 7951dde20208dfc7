// Whether a recipe fits the models and the data. Internal to lib/distill.
#pragma once

#include "lib/distill/objective.h"
#include "lib/distill/train_step.h"
#include "lib/distill/trainer.h"

namespace limbeck {

/// Raises kUsage, before any work is done, for losses without the teacher or the labels that they
/// read, for early stopping without held-out samples, for more ranks than shards, for a cache of
/// answers on images that change, kUnsupported for a softmax of scores that Sigmoid makes, and
/// where a model of a fixed batch size does not take the shards.
void check_job(const TrainJob& job, const Objective& objective, const StepPlan& plan);

/// Raises kUsage where a loss reads a tensor that the model, `whose`, lacks.
void check_taps(const Model& model, const std::vector<std::string>& taps, const std::string& whose);

}  // namespace limbeck
