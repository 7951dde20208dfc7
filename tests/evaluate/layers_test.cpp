#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_floating_point.hpp>
#include <cmath>

#include "lib/evaluate/evaluate.h"
#include "tests/support/memory_dataset.h"
#include "tests/support/model_builder.h"

using namespace limbeck;
using namespace limbeck::test;
using Catch::Matchers::WithinAbs;
using Pairs = std::vector<std::pair<std::string, std::string>>;

namespace {

/// scores = (x + shift) * 2
Model two_steps(float shift) {
  ModelBuilder builder(13);
  builder.input("x", {-1, 2}).output("scores");
  builder.weight("shift", floats({shift, 0})).weight("two", floats({2, 2}));
  builder.node("Add", {"x", "shift"}, {"middle"});
  builder.node("Mul", {"middle", "two"}, {"scores"});
  return builder.build();
}

Model quantized_middle() {
  ModelBuilder builder(13);
  builder.input("x", {-1, 2}).output("scores");
  builder.weight("shift", floats({0, 0})).weight("two", floats({2, 2}));
  builder.weight("step", Tensor::scalar(1.0F)).weight("zero", Tensor::scalar<uint8_t>(0));
  builder.node("Add", {"x", "shift"}, {"middle"});
  builder.node("QuantizeLinear", {"middle", "step", "zero"}, {"codes"});
  builder.node("DequantizeLinear", {"codes", "step", "zero"}, {"rounded"});
  builder.node("Mul", {"rounded", "two"}, {"scores"});
  return builder.build();
}

std::vector<LayerError> layers_of(const Model& model, const Model& reference, const Pairs& pairs,
                                  const Dataset& data, int64_t samples = 64) {
  EvaluateOptions options;
  options.quiet = true;
  options.layers = pairs;
  options.layer_samples = samples;
  return evaluate(model, &reference, data, options).layers;
}

}  // namespace

TEST_CASE("every pair of layers has its own error", "[evaluate]") {
  const MemoryDataset data({{3, 4}});
  const auto layers = layers_of(two_steps(-1), two_steps(0),
                                {{"x", "x"}, {"middle", "middle"}, {"scores", "scores"}}, data);
  REQUIRE(layers.size() == 3);
  CHECK(layers[0].op_type == "input");
  CHECK(layers[0].sqnr_db == 200.0);
  CHECK(layers[1].op_type == "Add");
  CHECK_THAT(layers[1].sqnr_db, WithinAbs(10 * std::log10(25.0), 1e-9));
  CHECK(layers[1].max_abs == 1.0);
  CHECK(layers[2].op_type == "Mul");
  CHECK(layers[2].max_abs == 2.0);
  CHECK_THAT(layers[2].cosine, WithinAbs((2 * 3 + 4 * 4) / (std::sqrt(20.0) * 5), 1e-9));
}

TEST_CASE("only the first samples enter the comparison of layers", "[evaluate]") {
  const MemoryDataset data({{3, 4}, {1000, 1000}});
  const auto layers = layers_of(two_steps(-1), two_steps(0), {{"middle", "middle"}}, data, 1);
  REQUIRE(layers.size() == 1);
  CHECK_THAT(layers[0].sqnr_db, WithinAbs(10 * std::log10(25.0), 1e-9));
}

TEST_CASE("pairs that cannot be compared are left out", "[evaluate]") {
  const auto layers =
      layers_of(two_steps(-1), two_steps(0),
                {{"nowhere", "x"}, {"middle", "nowhere"}, {"shift", "shift"}, {"x", "x"}},
                MemoryDataset({{3, 4}}));
  REQUIRE(layers.size() == 1);
  CHECK(layers[0].tensor == "x");
}

TEST_CASE("without pairs there are no layers", "[evaluate]") {
  CHECK(layers_of(two_steps(-1), two_steps(0), {}, MemoryDataset({{3, 4}})).empty());
}

TEST_CASE("layers match by name, and behind the quantizer where there is one", "[evaluate]") {
  const Pairs pairs = matching_layers(quantized_middle(), two_steps(0));
  CHECK(pairs == Pairs{{"x", "x"}, {"middle", "rounded"}, {"scores", "scores"}});
  const auto layers =
      layers_of(quantized_middle(), two_steps(0), pairs, MemoryDataset({{3.5F, 4}}));
  REQUIRE(layers.size() == 3);
  CHECK(layers[1].value == "rounded");
  CHECK_THAT(layers[1].max_abs, WithinAbs(0.5, 1e-9));  // 3.5 rounds to the even 4
}

namespace {

/// middle = x + 0 as codes of step 1 with zero point 10, handed on by Reshape, then times 2.
Model quantized_codes() {
  ModelBuilder builder(13);
  builder.input("x", {-1, 2}).output("scores").weight("shape", ints({-1, 2}));
  builder.weight("two", floats({2, 2}));
  builder.weight("step", Tensor::scalar(1.0F)).weight("zero", Tensor::scalar<uint8_t>(10));
  builder.node("QuantizeLinear", {"x", "step", "zero"}, {"middle_quantized"});
  builder.node("Reshape", {"middle_quantized", "shape"}, {"same_quantized"});
  builder.node("DequantizeLinear", {"same_quantized", "step", "zero"}, {"real"});
  builder.node("Mul", {"real", "two"}, {"scores"});
  return builder.build();
}

Model float_codes() {
  ModelBuilder builder(13);
  builder.input("x", {-1, 2}).output("scores").weight("shape", ints({-1, 2}));
  builder.weight("shift", floats({0, 0})).weight("two", floats({2, 2}));
  builder.node("Add", {"x", "shift"}, {"middle"});
  builder.node("Reshape", {"middle", "shape"}, {"same"});
  builder.node("Mul", {"same", "two"}, {"scores"});
  return builder.build();
}

}  // namespace

TEST_CASE("codes are compared as the real numbers that they stand for", "[evaluate]") {
  // 3.5 becomes 14, that is 4: an error of 0.5 against 3.5 and 4.
  const auto layers = layers_of(quantized_codes(), float_codes(),
                                {{"middle", "middle_quantized"}, {"same", "same_quantized"}},
                                MemoryDataset({{3.5F, 4}}));
  REQUIRE(layers.size() == 2);
  for (const LayerError& layer : layers) {
    CHECK(layer.max_abs == 0.5);
    CHECK_THAT(layer.sqnr_db, WithinAbs(10 * std::log10((3.5 * 3.5 + 16) / 0.25), 1e-9));
  }
}

TEST_CASE("layers match the codes of operators over integers", "[evaluate]") {
  CHECK(matching_layers(quantized_codes(), float_codes()) == Pairs{{"x", "x"},
                                                                   {"middle", "middle_quantized"},
                                                                   {"same", "same_quantized"},
                                                                   {"scores", "scores"}});
}

TEST_CASE("codes without constant parameters are left out", "[evaluate]") {
  ModelBuilder builder(13);
  builder.input("x", {-1, 2}).output("scores").weight("zero", Tensor::scalar<uint8_t>(0));
  builder.node("ReduceMax", {"x"}, {"step"}).with("keepdims", 0);
  builder.node("QuantizeLinear", {"x", "step", "zero"}, {"codes"});
  builder.node("DequantizeLinear", {"codes", "step", "zero"}, {"scores"});
  const auto layers = layers_of(builder.build(), float_codes(), {{"middle", "codes"}, {"x", "x"}},
                                MemoryDataset({{3, 4}}));
  REQUIRE(layers.size() == 1);
  CHECK(layers[0].tensor == "x");
}
