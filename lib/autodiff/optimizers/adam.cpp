#include <cmath>

#include "lib/autodiff/optimizers/method.h"

namespace limbeck {

void update_adam(const OptimizerOptions& options, const WeightUpdate& weight) {
  const auto step = static_cast<double>(weight.step);
  const double correction1 = 1 - std::pow(options.beta1, step);
  const double correction2 = 1 - std::pow(options.beta2, step);
  const auto rate = static_cast<float>(weight.learning_rate / correction1);
  const auto root = static_cast<float>(std::sqrt(correction2));
  const auto decay = static_cast<float>(weight.weight_decay);
  const auto fresh1 = static_cast<float>(1 - options.beta1);
  const auto fresh2 = static_cast<float>(1 - options.beta2);
  const auto kept2 = static_cast<float>(options.beta2);
  const auto epsilon = static_cast<float>(options.epsilon);
  for (size_t i = 0; i < weight.value.size(); ++i) {
    const float gradient = weight.gradient[i] + decay * weight.value[i];
    const float mean = weight.first[i] + fresh1 * (gradient - weight.first[i]);
    const float square = kept2 * weight.second[i] + fresh2 * gradient * gradient;
    weight.first[i] = mean;
    weight.second[i] = square;
    weight.value[i] -= rate * mean / (std::sqrt(square) / root + epsilon);
  }
}

}  // namespace limbeck
