// Networks of the size that people train.
#include <catch2/catch_test_macros.hpp>
#include <cmath>

#include "lib/autodiff/parameters.h"
#include "lib/autodiff/shards.h"
#include "lib/autodiff/tape.h"
#include "lib/engine/engine.h"
#include "tests/support/gradient_check.h"
#include "tests/support/paths.h"

namespace limbeck::test {
namespace {

std::vector<Tensor> initial(const Tape& tape) {
  std::vector<Tensor> parameters;
  for (const Parameter& parameter : tape.parameters()) parameters.push_back(parameter.initial);
  return parameters;
}

double inner(const Tensor& a, const Tensor& b) {
  double sum = 0;
  for (size_t i = 0; i < a.as<float>().size(); ++i)
    sum += static_cast<double>(a.as<float>()[i]) * static_cast<double>(b.as<float>()[i]);
  return sum;
}

std::vector<Tensor> moved(const std::vector<Tensor>& parameters, const std::vector<Tensor>& along,
                          double step) {
  std::vector<Tensor> result;
  for (size_t i = 0; i < parameters.size(); ++i) {
    result.push_back(parameters[i].clone());
    auto target = result.back().mutable_as<float>();
    for (size_t k = 0; k < target.size(); ++k)
      target[k] += static_cast<float>(step) * along[i].as<float>()[k];
  }
  return result;
}

/// Along the gradient the loss <v, y> must rise by its squared length: a step of one thousandth of
/// the loss keeps the curvature's share small, and float resolves it to about one percent.
void check_slope(const Tape& tape, const Tensor& x) {
  const std::vector<Tensor> parameters = initial(tape);
  Pass pass = tape.forward(parameters, {&x, 1}, 1);
  const Tensor v =
      Tensor::from<float>(pass.outputs[0].dims(), noise(pass.outputs[0].dims(), 3).to_float());
  const Gradients gradients = tape.backward(std::move(pass), {&v, 1});
  double square = 0;
  for (const Tensor& gradient : gradients.parameters) square += inner(gradient, gradient);
  REQUIRE(std::isfinite(square));
  REQUIRE(square > 0);
  const double step = 1e-3 / std::sqrt(square);
  const auto loss = [&](double along) {
    return inner(
        v, tape.forward(moved(parameters, gradients.parameters, along), {&x, 1}, 1).outputs[0]);
  };
  const double slope = (loss(step) - loss(-step)) / (2 * step);
  INFO("slope " << slope << ", expected " << square);
  CHECK(std::fabs(slope - square) <= 0.02 * square);
}

}  // namespace

TEST_CASE("an untrained residual network runs forward and backward on batch statistics",
          "[autodiff]") {
  const auto path = large_data("models/cifar10_resnet8_untrained.onnx");
  if (!path) return;
  Model model = load_model(*path);
  CHECK(separate_parameters(model) == 30);
  const auto tape = Tape::compile(model);
  CHECK(tape->batch_norms().size() == 9);
  // Nine convolutions without bias, scale and bias of nine normalizations, the classifier.
  CHECK(tape->parameters().size() == 9 + 2 * 9 + 2);
  check_slope(*tape, noise({8, 3, 32, 32}, 1));
}

TEST_CASE("shards of a residual network give the same bytes on 1, 2 and 4 threads", "[autodiff]") {
  const auto path = large_data("models/cifar10_resnet8_untrained.onnx");
  if (!path) return;
  Model model = load_model(*path);
  separate_parameters(model);
  const auto tape = Tape::compile(model);
  std::vector<std::vector<Tensor>> shards;
  for (unsigned i = 0; i < 8; ++i) shards.push_back({noise({4, 3, 32, 32}, i)});
  const ShardLoss loss = [](size_t, const Pass& pass) {
    return std::vector<Tensor>{pass.outputs[0]};
  };
  const auto one = run_shards(*tape, initial(*tape), shards, 1, loss, 1);
  for (const int threads : {2, 4}) {
    const auto many = run_shards(*tape, initial(*tape), shards, 1, loss, threads);
    for (size_t i = 0; i < one.parameters.size(); ++i)
      CHECK(many.parameters[i].to_float() == one.parameters[i].to_float());
  }
}

TEST_CASE("a network whose normalization was folded away runs forward and backward", "[autodiff]") {
  const auto path = large_data("models/cifar10_mobilenetv2.onnx");
  if (!path) return;
  const Model model = load_model(*path);
  const auto tape = Tape::compile(model);
  CHECK(tape->batch_norms().empty());
  CHECK(tape->parameters().size() == 2 * 23 + 2);
  check_slope(*tape, noise({2, 3, 32, 32}, 1));
}

TEST_CASE("a frozen forward pass agrees with the engine", "[autodiff]") {
  const auto path = large_data("models/cifar10_resnet20.onnx");
  if (!path) return;
  const Model model = load_model(*path);
  const auto tape = Tape::compile(model, {.batch_norm = BatchNormMode::kFrozen});
  const Tensor x = noise({4, 3, 32, 32}, 1);
  const Tensor y = tape->forward(initial(*tape), {&x, 1}, 0).outputs[0];
  const Tensor expected = Engine::compile(model)->run({x})[0];
  for (size_t i = 0; i < y.as<float>().size(); ++i)
    CHECK(std::fabs(y.as<float>()[i] - expected.as<float>()[i]) <= 1e-3F);
}

}  // namespace limbeck::test
