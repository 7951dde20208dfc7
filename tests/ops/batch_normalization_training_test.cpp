#include "lib/ops/batch_normalization_training.h"

#include <catch2/catch_test_macros.hpp>
#include <cmath>

#include "tests/support/gradient_check.h"

namespace limbeck::test {
namespace {

/// sum of v * y over the elements, for one moved element of one of the three inputs.
double weighted(std::vector<Tensor> inputs, const Tensor& v, size_t input, size_t element,
                double step) {
  inputs[input] = inputs[input].clone();
  inputs[input].mutable_as<double>()[element] += step;
  const Tensor y = batch_norm_forward(inputs[0], inputs[1], inputs[2], 0.01, "test").y;
  double sum = 0;
  for (size_t i = 0; i < v.as<double>().size(); ++i) sum += v.as<double>()[i] * y.as<double>()[i];
  return sum;
}

void check_against_differences(const Dims& dims) {
  const Dims channels{dims[1]};
  const std::vector<Tensor> inputs{spread(dims, 1), spread(channels, 2, 0.5, 1.5),
                                   spread(channels, 3)};
  const Tensor v = spread(dims, 4);
  const BatchNormResult forward = batch_norm_forward(inputs[0], inputs[1], inputs[2], 0.01, "test");
  const BatchNormGradients gradients =
      batch_norm_backward(inputs[0], inputs[1], forward.mean, forward.inv_std, v, true, "test");
  const Tensor* const analytic[3] = {&gradients.x, &gradients.scale, &gradients.bias};
  constexpr double kStep = 0x1p-12;
  for (size_t input = 0; input < 3; ++input) {
    const auto items = analytic[input]->as<double>();
    for (size_t k = 0; k < items.size(); ++k) {
      const auto central = [&](double h) {
        return (weighted(inputs, v, input, k, h) - weighted(inputs, v, input, k, -h)) / (2 * h);
      };
      const double expected = (4 * central(kStep) - central(2 * kStep)) / 3;
      CHECK(std::fabs(items[k] - expected) <= 1e-8);
    }
  }
}

}  // namespace

TEST_CASE("batch statistics are the mean and the population variance of each channel",
          "[ops][gradient]") {
  const Tensor x = Tensor::from<float>({2, 2}, {1, 10, 3, 30});
  const BatchNormResult result = batch_norm_forward(x, floats({2, 1}), floats({5, 0}), 0.0, "test");
  CHECK(result.mean.to_float() == std::vector<float>{2, 20});
  CHECK(result.variance.to_float() == std::vector<float>{1, 100});
  CHECK(result.inv_std.to_float() == std::vector<float>{1, 0.1F});
  CHECK(result.y.to_float() == std::vector<float>{3, -1, 7, 1});
}

TEST_CASE("the gradient over batch statistics agrees with differences", "[ops][gradient]") {
  check_against_differences({3, 2, 2, 2});
  check_against_differences({5, 3});
  check_against_differences({1, 2, 7});
}

TEST_CASE("a gradient that is constant or along the input vanishes over batch statistics",
          "[ops][gradient]") {
  const Tensor x = spread({4, 2, 3}, 1);
  const Tensor scale = spread({2}, 2, 0.5, 1.5);
  const BatchNormResult forward = batch_norm_forward(x, scale, spread({2}, 3), 0.0, "test");
  const BatchNormGradients gradients =
      batch_norm_backward(x, scale, forward.mean, forward.inv_std, x, true, "test");
  for (const double item : gradients.x.as<double>()) CHECK(std::fabs(item) < 1e-12);
}

}  // namespace limbeck::test
