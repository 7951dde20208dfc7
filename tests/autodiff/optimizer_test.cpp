#include "lib/autodiff/optimizer.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_floating_point.hpp>
#include <cmath>
#include <limits>

#include "lib/autodiff/gradient_norm.h"
#include "lib/autodiff/optimizers/method.h"
#include "lib/autodiff/weight_average.h"
#include "lib/base/philox.h"
#include "tests/model/expect_error.h"

using namespace limbeck;
using namespace limbeck::test;
using Catch::Matchers::WithinAbs;
using nlohmann::json;

namespace {

Tensor floats(const std::vector<float>& values) {
  return Tensor::from<float>({static_cast<int64_t>(values.size())}, values);
}

/// One weight of one element, starting at 1, after each of the gradients.
std::vector<float> run(const OptimizerOptions& options, double rate,
                       const std::vector<float>& gradients) {
  const Optimizer optimizer(options, {"w"});
  std::vector<Tensor> values = {floats({1})};
  OptimizerState state = optimizer.initial_state(values);
  std::vector<float> path;
  for (const float gradient : gradients) {
    std::vector<Tensor> g = {floats({gradient})};
    optimizer.update(values, g, rate, state);
    path.push_back(values[0].to_float()[0]);
  }
  return path;
}

OptimizerOptions adam(const std::string& method, double weight_decay) {
  OptimizerOptions options;
  options.method = method;
  options.beta1 = 0.5;
  options.beta2 = 0.75;
  options.epsilon = 1e-30;
  options.weight_decay = weight_decay;
  return options;
}

Tensor random_floats(int64_t count, uint64_t seed) {
  Tensor tensor = Tensor::allocate(DataType::kFloat, {count});
  RandomStream random(seed, 0, 0, 0);
  for (float& value : tensor.mutable_as<float>()) {
    value = static_cast<float>(random.uniform(-1, 1));
  }
  return tensor;
}

}  // namespace

TEST_CASE("momentum keeps part of the earlier steps", "[autodiff]") {
  OptimizerOptions options;
  options.momentum = 0.5;
  // m = 1/2, then 1/4 + 1/2.
  CHECK((run(options, 0.5, {0.5F, 0.5F}) == std::vector<float>{0.75F, 0.375F}));
  options.momentum = 0;
  CHECK((run(options, 0.5, {0.5F, 0.5F}) == std::vector<float>{0.75F, 0.5F}));
}

TEST_CASE("nesterov momentum adds the coming step", "[autodiff]") {
  OptimizerOptions options;
  options.momentum = 0.5;
  options.nesterov = true;
  // 1/2 + m/2 with m = 1/2, then 3/4.
  CHECK((run(options, 0.5, {0.5F, 0.5F}) == std::vector<float>{0.625F, 0.1875F}));
}

TEST_CASE("weight decay is a part of the gradient of sgd", "[autodiff]") {
  OptimizerOptions options;
  options.momentum = 0.5;
  options.weight_decay = 0.5;
  // g = 1/2 + 1/2; then m = 1/2 + (0 + 1/4).
  CHECK((run(options, 0.5, {0.5F, 0.0F}) == std::vector<float>{0.5F, 0.125F}));
}

TEST_CASE("adam divides the corrected mean by the corrected root", "[autodiff]") {
  // m = 1, v = 1; corrected 2 and 4: a step of exactly the rate.
  const std::vector<float> path = run(adam("adam", 0), 0.25, {2, 0});
  CHECK(path[0] == 0.75F);
  // m = 1/2 over 3/4; v = 3/4 over 7/16.
  CHECK_THAT(path[1], WithinAbs(0.75 - 0.25 * (2.0 / 3) / std::sqrt(12.0 / 7), 1e-7));
}

TEST_CASE("adam decays within the gradient, adamw beside it", "[autodiff]") {
  // Adam: g = 1 + 1 instead of 2. AdamW: 1 * (1 - 1/4), then the same step.
  CHECK(run(adam("adam", 1), 0.25, {1})[0] == 0.75F);
  CHECK(run(adam("adamw", 1), 0.25, {2})[0] == 0.5F);
  // A gradient of zero moves AdamW by its decay alone.
  CHECK(run(adam("adamw", 1), 0.25, {0})[0] == 0.75F);
}

TEST_CASE("groups change rate and decay of the weights that they match first", "[autodiff]") {
  OptimizerOptions options;
  options.momentum = 0;
  options.weight_decay = 0.5;
  options.groups = {{.glob = "*.bias", .learning_rate_factor = 2, .weight_decay = 0},
                    {.glob = "head.*", .learning_rate_factor = 0, .weight_decay = {}}};
  const Optimizer optimizer(options, {"conv.weight", "head.bias", "head.weight"});
  std::vector<Tensor> values = {floats({1}), floats({1}), floats({1})};
  std::vector<Tensor> gradients = {floats({0.5F}), floats({0.5F}), floats({0.5F})};
  OptimizerState state = optimizer.initial_state(values);
  optimizer.update(values, gradients, 0.25, state);
  CHECK(values[0].to_float()[0] == 0.75F);
  CHECK(values[1].to_float()[0] == 0.75F);
  CHECK(values[2].to_float()[0] == 1.0F);
  CHECK(state.first[2].to_float()[0] == 0.0F);
}

TEST_CASE("a gradient longer than the limit is scaled as a whole", "[autodiff]") {
  OptimizerOptions options;
  options.momentum = 0;
  options.clip_norm = 2.5;
  const Optimizer optimizer(options, {"a", "b"});
  std::vector<Tensor> values = {floats({0}), floats({0})};
  OptimizerState state = optimizer.initial_state(values);
  std::vector<Tensor> gradients = {floats({3}), floats({-4})};
  CHECK(optimizer.update(values, gradients, 1, state) == 5);
  CHECK_THAT(values[0].to_float()[0], WithinAbs(-1.5, 1e-6));
  CHECK_THAT(values[1].to_float()[0], WithinAbs(2, 1e-6));
  gradients = {floats({0.75F}), floats({-1})};
  CHECK(optimizer.update(values, gradients, 1, state) == 1.25);
  CHECK((gradients[0].to_float() == std::vector<float>{0.75F}));
}

TEST_CASE("a gradient that is not finite changes nothing", "[autodiff]") {
  const Optimizer optimizer({}, {"w"});
  std::vector<Tensor> values = {floats({1, 2})};
  OptimizerState state = optimizer.initial_state(values);
  for (const float bad : {std::numeric_limits<float>::infinity(), std::nanf("")}) {
    std::vector<Tensor> gradients = {floats({0, bad})};
    CHECK_FALSE(std::isfinite(optimizer.update(values, gradients, 1, state)));
  }
  CHECK((values[0].to_float() == std::vector<float>{1, 2}));
  CHECK(state.steps == 0);
  CHECK((state.first[0].to_float() == std::vector<float>{0, 0}));
}

TEST_CASE("a restored state continues to the same bits, with every method", "[autodiff]") {
  for (const OptimizerRow& row : optimizer_table()) {
    INFO(row.name);
    OptimizerOptions options;
    options.method = row.name;
    options.weight_decay = 0.01;
    const Optimizer optimizer(options, {"w"});
    const auto steps = [&](std::vector<Tensor>& values, OptimizerState& state, uint64_t begin,
                           uint64_t end) {
      for (uint64_t i = begin; i < end; ++i) {
        std::vector<Tensor> gradients = {random_floats(33, i)};
        optimizer.update(values, gradients, 0.01, state);
      }
    };
    std::vector<Tensor> whole = {random_floats(33, 100)};
    OptimizerState state = optimizer.initial_state(whole);
    CHECK(state.first.size() == (row.slots > 0 ? 1 : 0));
    CHECK(state.second.size() == (row.slots > 1 ? 1 : 0));
    steps(whole, state, 0, 3);
    std::vector<Tensor> resumed = {whole[0].clone()};
    OptimizerState saved = state.clone();
    steps(whole, state, 3, 6);
    steps(resumed, saved, 3, 6);
    CHECK((whole[0].to_float() == resumed[0].to_float()));
    CHECK(saved.steps == 6);
  }
}

TEST_CASE("a weight's update does not depend on its place in the tensor", "[autodiff]") {
  for (const OptimizerRow& row : optimizer_table()) {
    INFO(row.name);
    OptimizerOptions options;
    options.method = row.name;
    const std::vector<float> gradients = random_floats(37, 1).to_float();
    const Optimizer optimizer(options, {"w"});
    std::vector<Tensor> values = {random_floats(37, 2)};
    const std::vector<float> before = values[0].to_float();
    OptimizerState state = optimizer.initial_state(values);
    std::vector<Tensor> whole = {floats(gradients)};
    optimizer.update(values, whole, 0.1, state);
    for (size_t i = 0; i < before.size(); ++i) {
      std::vector<Tensor> one = {floats({before[i]})};
      std::vector<Tensor> gradient = {floats({gradients[i]})};
      OptimizerState fresh = optimizer.initial_state(one);
      optimizer.update(one, gradient, 0.1, fresh);
      CHECK(one[0].to_float()[0] == values[0].to_float()[i]);
    }
  }
}

TEST_CASE("the average of the weights follows them slowly", "[autodiff]") {
  std::vector<Tensor> values = {floats({1})};
  WeightAverage average = start_average(values);
  values[0] = floats({5});
  // The first decay is 1/10 and the second 2/11, whatever was asked for.
  CHECK_THAT(average_decay(0.75, 0), WithinAbs(0.1, 1e-15));
  CHECK_THAT(average_decay(0.75, 1), WithinAbs(2.0 / 11, 1e-15));
  CHECK(average_decay(0.75, 1000) == 0.75);
  update_average(average, values, 0.75);
  CHECK_THAT(average.values[0].to_float()[0], WithinAbs(4.6, 1e-6));
  average.steps = 1000;
  update_average(average, values, 0.75);
  CHECK_THAT(average.values[0].to_float()[0], WithinAbs(4.7, 1e-6));
  CHECK(average.steps == 1001);
}

TEST_CASE("an optimizer is read from JSON, with its mistakes named", "[autodiff]") {
  const OptimizerOptions options = read_optimizer(
      json::parse(R"({"method": "adamw", "beta2": 0.99, "weight_decay": 0.05, "clip_norm": 1,
                      "groups": [{"glob": "*bias", "weight_decay": 0}]})"),
      "/optimizer");
  CHECK(options.method == "adamw");
  CHECK(options.beta2 == 0.99);
  CHECK(options.clip_norm == 1);
  CHECK(options.groups.at(0).weight_decay == 0.0);
  CHECK(options.groups.at(0).learning_rate_factor == 1);
  const auto error = [](const char* text) {
    return error_of([text] { read_optimizer(json::parse(text), "/optimizer"); });
  };
  const ErrorInfo unknown = error(R"({"method": "lion"})");
  check_error(unknown, Category::kUsage, "/optimizer/method", "the optimizer must exist", "lion");
  CHECK(unknown.next_step == "use one of sgd, adam, adamw");
  check_error(error(R"({"method": "adam", "momentum": 0.9})"), Category::kUsage,
              "/optimizer/momentum", "the option must exist", "momentum");
  check_error(error(R"({"nesterov": true, "momentum": 0})"), Category::kUsage,
              "/optimizer/nesterov", "nesterov needs momentum", "momentum 0");
  check_error(error(R"({"groups": [{"glob": "*", "weight_decay": 2}]})"), Category::kUsage,
              "/optimizer/groups/0/weight_decay", "the value must be a number from 0 to 1", "2");
  OptimizerOptions lost;
  lost.groups = {{.glob = "*gamma", .learning_rate_factor = 1, .weight_decay = {}}};
  check_error(error_of([&] { Optimizer(lost, {"w"}); }), Category::kUsage,
              "optimizer group '*gamma'", "the glob must match a trained weight",
              "no match among 1 weights");
}

TEST_CASE("weights, gradients and state must fit each other", "[autodiff]") {
  const Optimizer optimizer({}, {"w"});
  std::vector<Tensor> values = {floats({1, 2})};
  std::vector<Tensor> gradients = {floats({1})};
  OptimizerState state = optimizer.initial_state(values);
  CHECK(error_of([&] { optimizer.update(values, gradients, 1, state); }).category ==
        Category::kInternal);
}
