#include "lib/autodiff/weight_average.h"

#include <algorithm>

#include "lib/base/error.h"

namespace limbeck {

WeightAverage start_average(std::span<const Tensor> values) {
  WeightAverage average;
  for (const Tensor& value : values) average.values.push_back(value.clone());
  return average;
}

double average_decay(double decay, int64_t steps) {
  const auto done = static_cast<double>(steps);
  return std::min(decay, (1 + done) / (10 + done));
}

void update_average(WeightAverage& average, std::span<const Tensor> values, double decay) {
  const bool fits =
      std::equal(values.begin(), values.end(), average.values.begin(), average.values.end(),
                 [](const Tensor& a, const Tensor& b) { return a.dims() == b.dims(); });
  if (!fits) {
    throw_error(Category::kInternal, "weight average", "the weights must have the average's shapes",
                std::to_string(values.size()) + " weights for " +
                    std::to_string(average.values.size()) + " averages",
                "report this bug");
  }
  const auto fresh = static_cast<float>(1 - average_decay(decay, average.steps));
  for (size_t i = 0; i < values.size(); ++i) {
    const auto from = values[i].as<float>();
    const auto to = average.values[i].mutable_as<float>();
    for (size_t k = 0; k < to.size(); ++k) to[k] += fresh * (from[k] - to[k]);
  }
  ++average.steps;
}

}  // namespace limbeck
