// Small things to train, and how to train them.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "lib/distill/trainer.h"
#include "tests/support/memory_dataset.h"
#include "tests/support/model_builder.h"

namespace limbeck::test {

/// y = x w + b without anything else: [n, 2] to [n, 2].
Model linear_student();
/// Two layers with BatchNormalization and Dropout between: [n, 4] to [n, 3].
Model small_student();
/// A wider network of the same interface.
Model small_teacher();

/// `count` samples of 4 numbers whose class (of 3) a linear rule decides.
MemoryDataset separable_samples(int64_t count);

/// Every sample trains; 2 epochs, batch 8 in 4 shards, plain SGD.
TrainJob small_job(const Model& student, const Model* teacher, const Dataset& data);

/// All constants of a model by name, as floats.
std::map<std::string, std::vector<float>> constants_of(const Model& model);

}  // namespace limbeck::test
