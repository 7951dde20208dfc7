// A slow copy of the weights that often evaluates better than the last ones.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "lib/model/tensor.h"

namespace limbeck {

/// Exponential moving average (B. Polyak, A. Juditsky 1992; the form of Mean Teachers, A.
/// Tarvainen, H. Valpola, NeurIPS 2017): average = decay * average + (1 - decay) * value. Plain
/// values: saved and restored bit by bit.
struct WeightAverage {
  int64_t steps = 0;  ///< updates done
  std::vector<Tensor> values;
};

/// Starts as a copy of the weights.
WeightAverage start_average(std::span<const Tensor> values);

/// min(decay, (1 + steps) / (10 + steps)): short averages at first, so that the start is forgotten
/// (the rule of TensorFlow's ExponentialMovingAverage). `steps` are the updates done before.
double average_decay(double decay, int64_t steps);

/// One step with that decay, element by element in float. Raises kInternal when shapes differ.
void update_average(WeightAverage& average, std::span<const Tensor> values, double decay);

}  // namespace limbeck
