#include "lib/autodiff/gradient_norm.h"

#include <algorithm>
#include <cmath>

namespace limbeck {
namespace {
constexpr double kClipEpsilon = 1e-6;
}  // namespace

double gradient_norm(std::span<const Tensor> gradients) {
  double squares = 0;
  for (const Tensor& gradient : gradients) {
    for (const float value : gradient.as<float>()) {
      squares += static_cast<double>(value) * static_cast<double>(value);
    }
  }
  return std::sqrt(squares);
}

double clip_factor(double norm, double limit) {
  return std::min(1.0, limit / (norm + kClipEpsilon));
}

void scale_gradients(std::span<Tensor> gradients, double factor) {
  if (factor == 1) return;
  const auto scale = static_cast<float>(factor);
  for (Tensor& gradient : gradients) {
    for (float& value : gradient.mutable_as<float>()) value *= scale;
  }
}

}  // namespace limbeck
