#include "lib/evaluate/values.h"

#include <algorithm>
#include <cmath>

namespace limbeck {

FloatValues::FloatValues(const Tensor& tensor) {
  if (tensor.type() == DataType::kFloat) {
    values_ = tensor.as<float>();
    return;
  }
  converted_ = tensor.to_float();
  values_ = converted_;
}

bool holds_fractions(DataType type) {
  return type == DataType::kFloat || type == DataType::kDouble || type == DataType::kFloat16 ||
         type == DataType::kBfloat16;
}

void Distance::add(const Distance& other) {
  signal += other.signal;
  model_square += other.model_square;
  noise += other.noise;
  dot += other.dot;
  max_abs = std::max(max_abs, other.max_abs);
}

bool Distance::finite() const {
  return std::isfinite(signal) && std::isfinite(model_square) && std::isfinite(noise);
}

Distance distance(std::span<const float> reference, std::span<const float> model) {
  Distance result;
  for (size_t i = 0; i < reference.size(); ++i) {
    const auto r = static_cast<double>(reference[i]);
    const auto y = static_cast<double>(model[i]);
    const double gap = r - y;
    result.signal += r * r;
    result.model_square += y * y;
    result.noise += gap * gap;
    result.dot += r * y;
    result.max_abs = std::max(result.max_abs, std::fabs(gap));
  }
  return result;
}

}  // namespace limbeck
