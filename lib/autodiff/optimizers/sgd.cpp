#include "lib/autodiff/optimizers/method.h"

namespace limbeck {

void update_sgd(const OptimizerOptions& options, const WeightUpdate& weight) {
  const auto rate = static_cast<float>(weight.learning_rate);
  const auto decay = static_cast<float>(weight.weight_decay);
  const auto momentum = static_cast<float>(options.momentum);
  for (size_t i = 0; i < weight.value.size(); ++i) {
    const float gradient = weight.gradient[i] + decay * weight.value[i];
    const float kept = momentum * weight.first[i] + gradient;
    weight.first[i] = kept;
    weight.value[i] -= rate * (options.nesterov ? gradient + momentum * kept : kept);
  }
}

}  // namespace limbeck
