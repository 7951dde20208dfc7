#include "lib/engine/engine.h"

#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>
#include <thread>

#include "lib/base/error.h"
#include "tests/support/engine_compare.h"
#include "tests/support/paths.h"

namespace limbeck::test {
namespace {

/// x -> Conv -> BatchNormalization -> Relu -> Conv -> Add with the first Relu -> Relu.
Model residual_model() {
  ModelBuilder builder(13);
  builder.input("x", {-1, 4, 8, 8}).weight("w", noise({8, 4, 3, 3}, 1));
  builder.weight("v", noise({8, 8, 3, 3}, 2));
  builder.weight("gamma", noise({8}, 3)).weight("beta", noise({8}, 4));
  builder.weight("mean", noise({8}, 5)).weight("var", positive_noise({8}, 6));
  builder.node("Conv", {"x", "w"}, {"c"}).with("pads", std::vector<int64_t>{1, 1, 1, 1});
  builder.node("BatchNormalization", {"c", "gamma", "beta", "mean", "var"}, {"n"});
  builder.node("Relu", {"n"}, {"r"});
  builder.node("Conv", {"r", "v"}, {"d"}).with("pads", std::vector<int64_t>{1, 1, 1, 1});
  builder.node("Add", {"d", "r"}, {"s"});
  builder.node("Relu", {"s"}, {"y"});
  builder.output("y");
  return builder.build();
}

/// `length` convolutions of one size, one after the other.
Model convolution_chain(int length) {
  ModelBuilder builder(13);
  builder.input("v0", {1, 16, 32, 32}).weight("w", noise({16, 16, 1, 1}, 1));
  for (int i = 0; i < length; ++i)
    builder.node("Conv", {"v" + std::to_string(i), "w"}, {"v" + std::to_string(i + 1)});
  builder.output("v" + std::to_string(length));
  return builder.build();
}

size_t peak_of(const Model& model, const Tensor& input) {
  const auto engine = Engine::compile(model);
  engine->run({input});
  engine->run({input});
  return engine->peak_activation_bytes();
}

}  // namespace

TEST_CASE("tapped values in the middle of fused steps equal the plain ones", "[engine]") {
  const Model model = residual_model();
  const Tensor input = noise({2, 4, 8, 8}, 7);
  check_fused(model, {input}, {"c", "n", "r", "d", "s"}, 4e-6F);
  for (const std::string tap : {"c", "n", "r", "d", "s", "y", "x"}) {
    CAPTURE(tap);
    check_fused(model, {input}, {tap}, 4e-6F);
  }
}

TEST_CASE("a tap leaves the other results as they are", "[engine]") {
  const Model model = residual_model();
  const Tensor input = noise({2, 4, 8, 8}, 7);
  const auto untapped = run_engine(model, {input}, true);
  const auto tapped = run_engine(model, {input}, true, {"n", "d"});
  REQUIRE(tapped.size() == 3);
  check_close({untapped[0]}, {tapped[0]});
}

TEST_CASE("an unknown tap is a usage error that names it", "[engine]") {
  EngineOptions options;
  options.taps = {"nowhere"};
  try {
    Engine::compile(residual_model(), options);
    FAIL("no error");
  } catch (const Error& error) {
    CHECK(error.category() == Category::kUsage);
    CHECK(std::string(error.what()).find("tap 'nowhere'") != std::string::npos);
  }
}

TEST_CASE("one compiled engine takes any batch and gives each sample the same result", "[engine]") {
  const auto engine = Engine::compile(residual_model());
  const Tensor whole = noise({5, 4, 8, 8}, 7);
  const auto together = engine->run({whole})[0].to_float();
  REQUIRE(together.size() == 5 * 8 * 64);
  for (size_t sample = 0; sample < 5; ++sample) {
    Tensor one = Tensor::allocate(DataType::kFloat, {1, 4, 8, 8});
    const auto values = whole.as<float>().subspan(sample * 256, 256);
    std::copy(values.begin(), values.end(), one.mutable_as<float>().begin());
    const auto alone = engine->run({one})[0].to_float();
    for (size_t i = 0; i < alone.size(); ++i)
      REQUIRE(alone[i] == Catch::Approx(together[sample * 512 + i]).margin(1e-5));
  }
}

TEST_CASE("two threads may run one engine at once", "[engine]") {
  const auto engine = Engine::compile(residual_model());
  const Tensor inputs[] = {noise({1, 4, 8, 8}, 7), noise({3, 4, 8, 8}, 8)};
  std::vector<std::vector<float>> wanted;
  for (const Tensor& input : inputs) wanted.push_back(engine->run({input})[0].to_float());
  std::vector<int> wrong(2, 0);
  {
    std::vector<std::jthread> threads;
    for (size_t t = 0; t < 2; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < 30; ++i) {
          const size_t k = (t + static_cast<size_t>(i)) % 2;
          if (engine->run({inputs[k]})[0].to_float() != wanted[k]) ++wrong[t];
        }
      });
    }
  }
  CHECK(wrong == std::vector<int>{0, 0});
}

TEST_CASE("activations are freed after their last use", "[engine]") {
  const Tensor input = noise({1, 16, 32, 32}, 7);
  const size_t activation = 16 * 32 * 32 * sizeof(float);
  const size_t small = peak_of(convolution_chain(4), input);
  const size_t large = peak_of(convolution_chain(40), input);
  CHECK(small >= 2 * activation);
  CHECK(large == small);
  CHECK(large < 5 * activation);
}

TEST_CASE("the results do not depend on the number of threads", "[engine]") {
  const Model model = residual_model();
  const Tensor input = noise({4, 4, 8, 8}, 7);
  const auto one = run_engine(model, {input}, true, {}, 1)[0].to_float();
  CHECK(run_engine(model, {input}, true, {}, 2)[0].to_float() == one);
}

TEST_CASE("the share of integer MACs counts what runs on codes", "[engine]") {
  // 4 * 3 * 3 * 8 * 6 * 6 integer MACs and 8 * 2 float ones behind the average.
  ModelBuilder builder(13);
  const std::string x = add_code_input(builder, "x", {-1, 4, 8, 8}, {0.1F, 128});
  const std::string w =
      add_weights(builder, "w", code_noise(DataType::kInt8, {8, 4, 3, 3}, 1), {0.01F}, 0);
  builder.node("Conv", {x, w}, {"c"});
  builder.node("GlobalAveragePool", {"c"}, {"p"});
  builder.node("Flatten", {"p"}, {"f"});
  builder.weight("v", noise({8, 2}, 1));
  builder.node("Gemm", {"f", "v"}, {"y"});
  builder.output("y");
  const double integer = 4 * 3 * 3 * 8 * 6 * 6;
  CHECK(Engine::compile(builder.build())->integer_mac_share() ==
        Catch::Approx(integer / (integer + 16)));
}

TEST_CASE("limbeck bench reports time, runs and the share of integers", "[engine]") {
  const auto result = run_program("bench '" + fixture("fashion_mnist_cnn.onnx").string() +
                                  "' --batch 2 --threads 1 --seconds 0.01 --json");
  CHECK(result.exit_code == 0);
  CHECK(result.out.find("\"median_ms\"") != std::string::npos);
  CHECK(result.out.find("\"integer_mac_share\": 0.0") != std::string::npos);
}

TEST_CASE("limbeck bench asks for the shape that a model leaves open", "[engine]") {
  const TemporaryFolder folder;
  ModelBuilder builder(13);
  builder.input("x", {-1, 3, -1, -1}).output("y");
  builder.node("Relu", {"x"}, {"y"});
  save_model(builder.build(), folder / "open.onnx");
  const auto failed = run_program("bench open.onnx --seconds 0.01", folder.path());
  CHECK(failed.exit_code == exit_code(Category::kUsage));
  CHECK(failed.err.find("give --shape with the dimensions of one sample") != std::string::npos);
  const auto given =
      run_program("bench open.onnx --shape 3,1,1 --seconds 0.01 --quiet", folder.path());
  CHECK(given.exit_code == 0);
}

TEST_CASE("a batch that is computed in parts equals its samples one by one", "[engine]") {
  // 16 * 32 * 32 floats are 64 KiB: eight samples fill half a mebibyte, so that 21 need three
  // parts.
  ModelBuilder builder(13);
  builder.input("x", {-1, 16, 32, 32}).weight("w", noise({16, 16, 3, 3}, 1));
  builder.node("Conv", {"x", "w"}, {"c"}).with("pads", std::vector<int64_t>{1, 1, 1, 1});
  builder.node("Relu", {"c"}, {"r"});
  builder.node("GlobalAveragePool", {"r"}, {"p"});
  builder.node("Flatten", {"p"}, {"y"});
  builder.output("y");
  const Model model = builder.build();
  check_fused(model, {noise({21, 16, 32, 32}, 3)});
  const auto one = run_engine(model, {noise({21, 16, 32, 32}, 3)}, true, {}, 1);
  const auto two = run_engine(model, {noise({21, 16, 32, 32}, 3)}, true, {}, 2);
  CHECK(one[0].to_float() == two[0].to_float());
}

TEST_CASE("operators that mix samples keep a batch whole", "[engine]") {
  const auto check = [](ModelBuilder& builder) {
    builder.output("y");
    check_fused(builder.build(), {noise({40, 4, 3, 3}, 3)});
  };
  ModelBuilder softmax(13);
  softmax.input("x", {-1, 4, 3, 3});
  softmax.node("Softmax", {"x"}, {"y"}).with("axis", 0);
  check(softmax);
  ModelBuilder mean(13);
  mean.input("x", {-1, 4, 3, 3});
  mean.node("ReduceMean", {"x"}, {"m"}).with("axes", std::vector<int64_t>{0}).with("keepdims", 1);
  mean.node("Sub", {"x", "m"}, {"y"});
  check(mean);
  ModelBuilder codes(13);
  codes.input("x", {-1, 4, 3, 3});
  codes.node("DynamicQuantizeLinear", {"x"}, {"q", "s", "z"});
  codes.node("DequantizeLinear", {"q", "s", "z"}, {"y"});
  check(codes);
}

}  // namespace limbeck::test
