#include "lib/autodiff/optimizers/method.h"

namespace limbeck {

void update_adamw(const OptimizerOptions& options, const WeightUpdate& weight) {
  const auto kept = static_cast<float>(1 - weight.learning_rate * weight.weight_decay);
  for (float& value : weight.value) value *= kept;
  WeightUpdate undecayed = weight;
  undecayed.weight_decay = 0;
  update_adam(options, undecayed);
}

}  // namespace limbeck
