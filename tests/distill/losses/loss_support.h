// What the tests of the losses share.
#pragma once

#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "lib/base/philox.h"
#include "lib/distill/losses/loss.h"
#include "lib/model/tensor.h"

namespace limbeck::test {

inline Tensor doubles(Dims dims, const std::vector<double>& values) {
  return Tensor::from<double>(std::move(dims), values);
}

inline std::vector<double> values_of(const Tensor& tensor) {
  const auto values = tensor.as<double>();
  return {values.begin(), values.end()};
}

/// Values between -2 and 2, the same for the same seed.
inline Tensor random_doubles(Dims dims, uint64_t seed) {
  Tensor tensor = Tensor::allocate(DataType::kDouble, std::move(dims));
  RandomStream random(seed, 0, 0, 0);
  for (double& value : tensor.mutable_as<double>()) value = random.uniform(-2, 2);
  return tensor;
}

inline std::vector<Label> plain_labels(const std::vector<int64_t>& classes) {
  std::vector<Label> labels;
  for (const int64_t label : classes) labels.push_back({label, 0, 1});
  return labels;
}

/// The gradient of loss(values) by five-point central differences; its error is of order step^4.
inline std::vector<double> numeric_gradient(const Tensor& at,
                                            const std::function<double(const Tensor&)>& loss) {
  constexpr double kStep = 1e-3;
  std::vector<double> gradient;
  for (size_t i = 0; i < static_cast<size_t>(at.count()); ++i) {
    const auto moved = [&](double by) {
      Tensor tensor = at.clone();
      tensor.mutable_as<double>()[i] += by;
      return loss(tensor);
    };
    gradient.push_back(
        (8 * (moved(kStep) - moved(-kStep)) - (moved(2 * kStep) - moved(-2 * kStep))) /
        (12 * kStep));
  }
  return gradient;
}

/// The largest difference of two gradients, relative to the largest element of the second.
inline double gradient_error(const Tensor& analytic, const std::vector<double>& numeric) {
  const std::vector<double> values = values_of(analytic);
  double largest = 0;
  double error = values.size() == numeric.size() ? 0 : INFINITY;
  for (size_t i = 0; i < numeric.size() && i < values.size(); ++i) {
    largest = std::max(largest, std::abs(numeric[i]));
    error = std::max(error, std::abs(values[i] - numeric[i]));
  }
  return error / largest;
}

inline constexpr double kGradientTolerance = 1e-8;

using LossFunction = std::function<LossResult(const LossInput&)>;

/// gradient_error() of the gradient with respect to the student.
inline double student_error(const LossFunction& loss, const LossInput& input) {
  return gradient_error(loss(input).student, numeric_gradient(input.student, [&](const Tensor& at) {
                          LossInput moved = input;
                          moved.student = at;
                          return loss(moved).loss;
                        }));
}

/// The same with respect to the trained weight `index`.
inline double weight_error(const LossFunction& loss, const LossInput& input, size_t index) {
  return gradient_error(loss(input).weights.at(index),
                        numeric_gradient(input.weights.at(index), [&](const Tensor& at) {
                          LossInput moved = input;
                          moved.weights.at(index) = at;
                          return loss(moved).loss;
                        }));
}

}  // namespace limbeck::test
