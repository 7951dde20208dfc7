#include "lib/autodiff/tape.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <cmath>
#include <thread>

#include "lib/base/error.h"
#include "tests/support/gradient_check.h"
#include "tests/support/model_builder.h"
#include "tests/support/reference_run.h"
#include "tests/support/worst.h"

namespace limbeck::test {
namespace {

using List = std::vector<int64_t>;

/// Conv-BN-Relu, a residual block, pooling, Gemm; doubles, so that differences are exact enough.
Model small_network() {
  ModelBuilder builder(13);
  const DataType real = DataType::kDouble;
  builder.input("x", {-1, 2, 6, 6}, real).output("y", real);
  builder.weight("w0", spread({4, 2, 3, 3}, 1, -0.5, 0.5)).weight("b0", spread({4}, 2));
  builder.weight("w1", spread({4, 4, 3, 3}, 3, -0.5, 0.5));
  builder.weight("scale", spread({4}, 4, 0.5, 1.5)).weight("bias", spread({4}, 5));
  builder.weight("mean", spread({4}, 6)).weight("variance", spread({4}, 7, 0.5, 1.5));
  builder.weight("fc", spread({3, 16}, 8)).weight("fc_bias", spread({3}, 9));
  builder.node("Conv", {"x", "w0", "b0"}, {"c0"}).with("pads", List{1, 1, 1, 1});
  builder.node("BatchNormalization", {"c0", "scale", "bias", "mean", "variance"}, {"n0"});
  builder.node("Relu", {"n0"}, {"r0"});
  builder.node("Conv", {"r0", "w1"}, {"c1"}).with("pads", List{1, 1, 1, 1});
  builder.node("Add", {"c1", "r0"}, {"sum"});
  builder.node("Sigmoid", {"sum"}, {"s"});
  builder.node("AveragePool", {"s"}, {"p"})
      .with("kernel_shape", List{3, 3})
      .with("strides", List{3, 3});
  builder.node("Flatten", {"p"}, {"f"});
  builder.node("Gemm", {"f", "fc", "fc_bias"}, {"y"}).with("transB", 1);
  return builder.build();
}

/// Operators whose attributes became inputs: Clip 11, Dropout 12, Squeeze and ReduceSum 13,
/// ReduceMean 18.
Model network_of(int64_t opset) {
  ModelBuilder builder(opset);
  builder.input("x", {-1, 2, 5, 5}).output("y");
  builder.weight("w", noise({4, 2, 3, 3}, 1)).weight("scale", positive_noise({4}, 2));
  builder.weight("bias", noise({4}, 3)).weight("fc", noise({4, 3}, 4)).weight("c", noise({3}, 5));
  builder.weight("mean", noise({4}, 6)).weight("variance", positive_noise({4}, 7));
  builder.weight("low", Tensor::scalar(0.0F)).weight("high", Tensor::scalar(1.5F));
  builder.weight("ratio", Tensor::scalar(0.25F));
  builder.weight("last", ints({3})).weight("third", ints({2}));
  builder.node("Conv", {"x", "w"}, {"c0"});
  builder.node("BatchNormalization", {"c0", "scale", "bias", "mean", "variance"}, {"n"});
  if (opset < 11)
    builder.node("Clip", {"n"}, {"r"}).with("min", 0.0F).with("max", 1.5F);
  else
    builder.node("Clip", {"n", "low", "high"}, {"r"});
  if (opset < 12)
    builder.node("Dropout", {"r"}, {"d"}).with("ratio", 0.25F);
  else
    builder.node("Dropout", {"r", "ratio"}, {"d"});
  if (opset < 18)
    builder.node("ReduceMean", {"d"}, {"m"}).with("axes", List{3});
  else
    builder.node("ReduceMean", {"d", "last"}, {"m"});
  if (opset < 13) {
    builder.node("ReduceSum", {"m"}, {"s"}).with("axes", List{2});
    builder.node("Squeeze", {"s"}, {"q"}).with("axes", List{2, 3});
  } else {
    builder.weight("both", ints({2, 3}));
    builder.node("ReduceSum", {"m", "third"}, {"s"});
    builder.node("Squeeze", {"s", "both"}, {"q"});
  }
  builder.node("Gemm", {"q", "fc", "c"}, {"y"});
  return builder.build();
}

std::vector<Tensor> initial(const Tape& tape) {
  std::vector<Tensor> parameters;
  for (const Parameter& parameter : tape.parameters()) parameters.push_back(parameter.initial);
  return parameters;
}

std::vector<std::string> names(const Tape& tape) {
  std::vector<std::string> result;
  for (const Parameter& parameter : tape.parameters()) result.push_back(parameter.name);
  std::sort(result.begin(), result.end());
  return result;
}

double weighted(const Tape& tape, const std::vector<Tensor>& parameters, const Tensor& x,
                const Tensor& v) {
  const Pass pass = tape.forward(parameters, {&x, 1}, 5);
  double sum = 0;
  for (int64_t i = 0; i < v.count(); ++i) {
    const auto k = static_cast<size_t>(i);
    sum += v.as<double>()[k] * pass.outputs[0].as<double>()[k];
  }
  return sum;
}

/// Every parameter's gradient against central differences, h = 2^-16: kinks of Relu that lie nearer
/// than h would show as outliers.
void check_parameters(const Tape& tape, const Tensor& x, const Tensor& v) {
  const std::vector<Tensor> parameters = initial(tape);
  const Gradients gradients = tape.backward(tape.forward(parameters, {&x, 1}, 5), {&v, 1});
  REQUIRE(gradients.parameters.size() == parameters.size());
  constexpr double kStep = 0x1p-16;
  for (size_t i = 0; i < parameters.size(); ++i) {
    const auto actual = gradients.parameters[i].as<double>();
    double largest = 0;
    double worst = 0;
    for (size_t k = 0; k < actual.size(); ++k) {
      std::vector<Tensor> moved = parameters;
      const auto shifted = [&](double step) {
        moved[i] = parameters[i].clone();
        moved[i].mutable_as<double>()[k] += step;
        return weighted(tape, moved, x, v);
      };
      const double expected = (shifted(kStep) - shifted(-kStep)) / (2 * kStep);
      largest = std::max(largest, std::fabs(expected));
      worst = worse(worst, std::fabs(expected - actual[k]));
    }
    INFO(tape.parameters()[i].name << ", largest " << largest);
    CHECK(worst <= 1e-6 * std::max(largest, 0.01));
  }
}

}  // namespace

TEST_CASE("the gradient of a whole network agrees with differences", "[autodiff]") {
  const Model model = small_network();
  const Tensor x = spread({3, 2, 6, 6}, 11);
  const Tensor v = spread({3, 3}, 12);
  for (const BatchNormMode mode : {BatchNormMode::kBatch, BatchNormMode::kFrozen}) {
    const auto tape = Tape::compile(model, {.batch_norm = mode});
    CHECK(tape->batch_norms().size() == (mode == BatchNormMode::kBatch ? 1 : 0));
    check_parameters(*tape, x, v);
  }
}

TEST_CASE("a frozen forward pass gives the bits of the plain kernels", "[autodiff]") {
  const Model model = small_network();
  const Tensor x = spread({2, 2, 6, 6}, 11);
  const auto tape = Tape::compile(model, {.batch_norm = BatchNormMode::kFrozen, .taps = {"sum"}});
  CHECK(tape->output_names() == std::vector<std::string>{"y", "sum"});
  const Pass pass = tape->forward(initial(*tape), {&x, 1}, 0);
  const NamedTensors expected = reference_run(model, {{"x", x}});
  for (size_t i = 0; i < 2; ++i) {
    const auto wanted = expected.at(tape->output_names()[i]).as<double>();
    const auto got = pass.outputs[i].as<double>();
    CHECK(std::equal(wanted.begin(), wanted.end(), got.begin(), got.end()));
  }
}

TEST_CASE("a pass on batch statistics hands them out", "[autodiff]") {
  const auto tape = Tape::compile(small_network());
  REQUIRE(tape->batch_norms().size() == 1);
  CHECK(tape->batch_norms()[0].mean == "mean");
  CHECK(tape->batch_norms()[0].variance == "variance");
  const Tensor x = spread({2, 2, 6, 6}, 11);
  const Pass pass = tape->forward(initial(*tape), {&x, 1}, 0);
  REQUIRE(pass.statistics.size() == 1);
  CHECK(pass.statistics[0].count == 2 * 6 * 6);
  CHECK(pass.statistics[0].mean.dims() == Dims{4});
  CHECK(pass.statistics[0].variance.dims() == Dims{4});
}

TEST_CASE("taps take gradients, and inner values and inputs give theirs", "[autodiff]") {
  ModelBuilder builder(13);
  builder.input("x", {2}).output("y").weight("w", floats({3, 5}));
  builder.node("PRelu", {"x", "w"}, {"a"});
  builder.node("Neg", {"a"}, {"y"});
  const auto tape = Tape::compile(builder.build(), {.taps = {"a"}, .gradients_of = {"a", "x"}});
  const Tensor x = floats({-1, 2});
  const Pass pass = tape->forward(initial(*tape), {&x, 1}, 0);
  CHECK(pass.outputs[1].to_float() == std::vector<float>{-3, 2});
  const std::vector<Tensor> dy{floats({1, 1}), floats({10, 100})};
  const Gradients gradients = tape->backward(pass, dy);
  CHECK(gradients.values[0].to_float() == std::vector<float>{9, 99});
  CHECK(gradients.values[1].to_float() == std::vector<float>{27, 99});
  CHECK(gradients.parameters[0].to_float() == std::vector<float>{-9, 0});
  const std::vector<Tensor> only_tap{Tensor{}, floats({1, 0})};
  CHECK(tape->backward(pass, only_tap).parameters[0].to_float() == std::vector<float>{-1, 0});
}

TEST_CASE("a parameter that no gradient reaches has a gradient of zeros", "[autodiff]") {
  ModelBuilder builder(13);
  builder.input("x", {1, 2}).output("y").output("z");
  builder.weight("w", Tensor::from<float>({2, 1}, {1, 2}));
  builder.weight("u", Tensor::from<float>({2, 1}, {3, 4}));
  builder.node("MatMul", {"x", "w"}, {"y"});
  builder.node("MatMul", {"x", "u"}, {"z"});
  const auto tape = Tape::compile(builder.build());
  const Tensor x = Tensor::from<float>({1, 2}, {5, 7});
  const std::vector<Tensor> dy{Tensor::from<float>({1, 1}, {1}), Tensor{}};
  const Gradients gradients = tape->backward(tape->forward(initial(*tape), {&x, 1}, 0), dy);
  CHECK(gradients.parameters[0].to_float() == std::vector<float>{5, 7});
  CHECK(gradients.parameters[1].to_float() == std::vector<float>{0, 0});
}

TEST_CASE("dropout drops by the seed while training and not at all when told so", "[autodiff]") {
  ModelBuilder builder(13);
  builder.input("x", {64}).output("y").weight("w", positive_noise({64}, 1));
  builder.node("PRelu", {"x", "w"}, {"a"});
  builder.node("Dropout", {"a"}, {"y"});
  const Model model = builder.build();
  const Tensor x = Tensor::from<float>({64}, std::vector<float>(64, 1.0F));
  const auto run = [&](const Tape& tape, uint64_t seed) {
    return tape.forward(initial(tape), {&x, 1}, seed).outputs[0].to_float();
  };
  const auto active = Tape::compile(model);
  const std::vector<float> y = run(*active, 1);
  CHECK(std::count(y.begin(), y.end(), 0.0F) > 0);
  CHECK(std::count(y.begin(), y.end(), 2.0F) > 0);
  CHECK(y == run(*active, 1));
  CHECK(y != run(*active, 2));
  const auto quiet = Tape::compile(model, {.dropout = false});
  CHECK(run(*quiet, 1) == std::vector<float>(64, 1.0F));
}

TEST_CASE("passes that run at the same time give the bits of passes that run alone", "[autodiff]") {
  const auto tape = Tape::compile(small_network());
  const std::vector<Tensor> parameters = initial(*tape);
  const Tensor v = spread({2, 3}, 12);
  constexpr unsigned kShards = 4;
  const auto shard = [&](unsigned i) {
    const Tensor x = spread({2, 2, 6, 6}, 20 + i);
    return tape->backward(tape->forward(parameters, {&x, 1}, i), {&v, 1}).parameters;
  };
  std::vector<std::vector<Tensor>> together(kShards);
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < kShards; ++i) threads.emplace_back([&, i] { together[i] = shard(i); });
  for (std::thread& thread : threads) thread.join();
  for (unsigned i = 0; i < kShards; ++i) {
    const auto alone = shard(i);
    for (size_t k = 0; k < alone.size(); ++k) {
      const auto a = alone[k].as<double>();
      const auto b = together[i][k].as<double>();
      CHECK(std::equal(a.begin(), a.end(), b.begin(), b.end()));
    }
  }
}

TEST_CASE("a pass holds no more than its backward steps read", "[autodiff]") {
  ModelBuilder builder(13);
  builder.input("x", {1000}).output("y").weight("w", floats(std::vector<float>(1000, 0.5F)));
  builder.node("PRelu", {"x", "w"}, {"a"});
  builder.node("Neg", {"a"}, {"b"});
  builder.node("Relu", {"b"}, {"c"});
  builder.node("Neg", {"c"}, {"y"});
  const auto tape = Tape::compile(builder.build());
  const Tensor x = noise({1000}, 1);
  // PRelu reads x and w, which others hold; Relu reads its output; a, b and y are free.
  CHECK(tape->forward(initial(*tape), {&x, 1}, 0).held_bytes == 4000);
}

TEST_CASE("a tape in segments gives the same bits from less memory", "[autodiff]") {
  const Tensor x = noise({2, 2, 5, 5}, 11);
  const Tensor v = noise({2, 3}, 12);
  const auto whole = Tape::compile(network_of(13));
  Pass pass = whole->forward(initial(*whole), {&x, 1}, 5);
  const std::vector<float> y = pass.outputs[0].to_float();
  const size_t held = pass.held_bytes;
  const Tensor mean = pass.statistics[0].mean;
  const Gradients expected = whole->backward(std::move(pass), {&v, 1});
  for (const size_t segments : {2, 3, 5, 100}) {
    INFO(segments << " segments");
    const auto tape = Tape::compile(network_of(13), {.segments = segments});
    Pass cut = tape->forward(initial(*tape), {&x, 1}, 5);
    CHECK(cut.outputs[0].to_float() == y);
    REQUIRE(cut.statistics.size() == 1);
    CHECK(cut.statistics[0].mean.to_float() == mean.to_float());
    CHECK(cut.held_bytes < held);
    const Gradients gradients = tape->backward(std::move(cut), {&v, 1});
    for (size_t i = 0; i < expected.parameters.size(); ++i)
      CHECK(gradients.parameters[i].to_float() == expected.parameters[i].to_float());
  }
}

TEST_CASE("an operator that the table lacks stops the compilation with its node named",
          "[autodiff]") {
  ModelBuilder builder(13);
  builder.input("x", {2}).output("y");
  builder.node("Strange", {"x"}, {"y"}).in_domain("elsewhere");
  CHECK_THROWS_WITH(Tape::compile(builder.build()),
                    Catch::Matchers::ContainsSubstring("node 'n0' (Strange)"));
}

TEST_CASE("a tap that the model lacks is an error with its name", "[autodiff]") {
  CHECK_THROWS_WITH(Tape::compile(small_network(), {.taps = {"nowhere"}}),
                    Catch::Matchers::ContainsSubstring("nowhere"));
}

TEST_CASE("a glob that matches no weight is an error with its text", "[autodiff]") {
  CHECK_THROWS_WITH(Tape::compile(small_network(), {.trainable = {"w*", "convolution*"}}),
                    Catch::Matchers::ContainsSubstring("convolution*"));
}

TEST_CASE("parameters and inputs that do not fit are errors with their names", "[autodiff]") {
  const auto tape = Tape::compile(small_network());
  std::vector<Tensor> parameters = initial(*tape);
  const Tensor x = noise({2, 2, 6, 6}, 1);
  CHECK_THROWS_WITH(tape->forward(parameters, {&x, 1}, 0),
                    Catch::Matchers::ContainsSubstring("input 'x'"));
  std::swap(parameters[0], parameters[1]);
  const Tensor fits = spread({2, 2, 6, 6}, 1);
  CHECK_THROWS_WITH(tape->forward(parameters, {&fits, 1}, 0),
                    Catch::Matchers::ContainsSubstring("parameter '"));
  CHECK_THROWS_WITH(tape->forward({}, {&fits, 1}, 0),
                    Catch::Matchers::ContainsSubstring("there must be 7"));
}

TEST_CASE("a model of any opset trains, and gives the gradients of every other", "[autodiff]") {
  std::vector<std::vector<float>> first;
  for (const int64_t opset : {7, 9, 10, 11, 12, 13, 15, 17, 18, 20, 21}) {
    INFO("opset " << opset);
    const auto tape = Tape::compile(network_of(opset));
    const Tensor x = noise({2, 2, 5, 5}, 11);
    const Tensor v = noise({2, 3}, 12);
    const Gradients gradients = tape->backward(tape->forward(initial(*tape), {&x, 1}, 5), {&v, 1});
    std::vector<std::vector<float>> values;
    for (const Tensor& gradient : gradients.parameters) values.push_back(gradient.to_float());
    CHECK(values.size() == 5);
    if (first.empty()) first = values;
    CHECK(values == first);
  }
}

TEST_CASE("all weights of the network train, and running statistics do not", "[autodiff]") {
  CHECK(names(*Tape::compile(small_network())) ==
        std::vector<std::string>{"b0", "bias", "fc", "fc_bias", "scale", "w0", "w1"});
}

}  // namespace limbeck::test
