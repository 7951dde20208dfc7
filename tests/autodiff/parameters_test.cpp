#include "lib/autodiff/parameters.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <set>

#include "lib/autodiff/tape.h"
#include "tests/support/model_builder.h"
#include "tests/support/reference_run.h"

namespace limbeck::test {
namespace {

using Names = std::vector<std::string>;

Names found(const Model& model, const Names& globs = {"*"}) {
  Names names;
  for (const Value* value : find_parameters(model, globs)) names.push_back(value->name());
  std::sort(names.begin(), names.end());
  return names;
}

/// (x - mean) / deviation, Conv, a folded scale and shift, x * clip(x + 3) / 6, a residual scale.
Model normalized_network() {
  ModelBuilder builder(13);
  builder.input("x", {1, 2, 3, 3}).output("y");
  builder.weight("mean", noise({1, 2, 1, 1}, 1));
  builder.weight("deviation", positive_noise({1, 2, 1, 1}, 2));
  builder.weight("w", noise({4, 2, 3, 3}, 3)).weight("b", noise({4}, 4));
  builder.weight("slope", noise({4, 1, 1}, 5)).weight("shift", noise({4, 1, 1}, 6));
  builder.weight("three", Tensor::scalar(3.0F)).weight("six", Tensor::scalar(6.0F));
  builder.weight("low", Tensor::scalar(0.0F)).weight("layer_scale", Tensor::scalar(0.1F));
  builder.node("Sub", {"x", "mean"}, {"centred"});
  builder.node("Div", {"centred", "deviation"}, {"normal"});
  builder.node("Conv", {"normal", "w", "b"}, {"c"});
  builder.node("Mul", {"c", "slope"}, {"scaled"});
  builder.node("Add", {"scaled", "shift"}, {"shifted"});
  builder.node("Add", {"shifted", "three"}, {"raised"});
  builder.node("Clip", {"raised", "low", "six"}, {"clipped"});
  builder.node("Mul", {"shifted", "clipped"}, {"swish"});
  builder.node("Div", {"swish", "six"}, {"activated"});
  builder.node("Mul", {"activated", "layer_scale"}, {"y"});
  return builder.build();
}

}  // namespace

TEST_CASE("constants that normalize the input and numbers in formulas do not train", "[autodiff]") {
  CHECK(found(normalized_network()) == Names{"b", "shift", "slope", "w"});
}

TEST_CASE("a constant that only looks like a number trains when it is named exactly",
          "[autodiff]") {
  CHECK(found(normalized_network(), {"layer_scale", "w*"}) == Names{"layer_scale", "w"});
  CHECK(found(normalized_network(), {"layer*"}).empty());
}

TEST_CASE("globs choose among the weights", "[autodiff]") {
  CHECK(found(normalized_network(), {"s*"}) == Names{"shift", "slope"});
  CHECK(found(normalized_network(), {"nothing"}).empty());
}

TEST_CASE("weights behind transposes and quantizers train, shapes and running statistics do not",
          "[autodiff]") {
  ModelBuilder builder(13);
  builder.input("x", {2, 3}).output("y");
  builder.weight("turned", noise({4, 3}, 1)).weight("quantized", noise({4, 5}, 2));
  builder.weight("step", Tensor::scalar(0.1F)).weight("zero", Tensor::scalar<int8_t>(0));
  builder.weight("shape", ints({2, 5, 1}));
  builder.weight("scale", positive_noise({5}, 3)).weight("bias", noise({5}, 4));
  builder.weight("mean", noise({5}, 5)).weight("variance", positive_noise({5}, 6));
  builder.node("Transpose", {"turned"}, {"t"});
  builder.node("MatMul", {"x", "t"}, {"a"});
  builder.node("QuantizeLinear", {"quantized", "step", "zero"}, {"q"});
  builder.node("DequantizeLinear", {"q", "step", "zero"}, {"d"});
  builder.node("MatMul", {"a", "d"}, {"m"});
  builder.node("Reshape", {"m", "shape"}, {"r"});
  builder.node("BatchNormalization", {"r", "scale", "bias", "mean", "variance"}, {"y"});
  const Model model = builder.build();
  CHECK(found(model) == Names{"bias", "quantized", "scale", "turned"});
  CHECK(found(model, {"step"}) == Names{"step"});
}

TEST_CASE("gradients flow through quantized codes to weight and step", "[autodiff]") {
  ModelBuilder builder(13);
  builder.input("x", {1, 2}).output("y");
  builder.weight("w", Tensor::from<float>({2, 1}, {1.25F, 200}));
  builder.weight("step", Tensor::scalar(1.0F)).weight("zero", Tensor::scalar<int8_t>(0));
  builder.node("QuantizeLinear", {"w", "step", "zero"}, {"q"});
  builder.node("DequantizeLinear", {"q", "step", "zero"}, {"d"});
  builder.node("MatMul", {"x", "d"}, {"y"});
  const auto tape = Tape::compile(builder.build(), {.trainable = {"w", "step"}});
  const Tensor x = Tensor::from<float>({1, 2}, {2, 3});
  std::vector<Tensor> parameters;
  for (const Parameter& parameter : tape->parameters()) parameters.push_back(parameter.initial);
  REQUIRE(tape->parameters()[0].name == "w");
  const Tensor dy = Tensor::from<float>({1, 1}, {1});
  const auto gradients = tape->backward(tape->forward(parameters, {&x, 1}, 0), {&dy, 1});
  CHECK(gradients.parameters[0].to_float() == std::vector<float>{2, 0});
  CHECK(gradients.parameters[1].to_float()[0] == 2 * (1 - 1.25F) + 3 * 127);
}

TEST_CASE("weights held by Constant nodes train", "[autodiff]") {
  ModelBuilder builder(13);
  builder.input("x", {2, 3}).output("y");
  builder.node("Constant", {}, {"w"}).with("value", noise({3, 4}, 1));
  builder.node("MatMul", {"x", "w"}, {"y"});
  CHECK(found(builder.build()) == Names{"w"});
}

TEST_CASE("constants that an exporter merged become parameters of their own", "[autodiff]") {
  ModelBuilder builder(13);
  builder.input("x", {1, 2, 1}).output("y");
  builder.weight("ones", Tensor::from<float>({2}, {1, 1}));
  builder.weight("zeros", Tensor::from<float>({2}, {0, 0}));
  builder.node("Identity", {"zeros"}, {"mean"});
  builder.node("Identity", {"ones"}, {"second"});
  builder.node("BatchNormalization", {"x", "ones", "zeros", "mean", "ones"}, {"a"});
  builder.node("BatchNormalization", {"a", "second", "zeros", "mean", "ones"}, {"y"});
  Model model = builder.build();
  const NamedTensors inputs{{"x", Tensor::from<float>({1, 2, 1}, {3, -4})}};
  const NamedTensors before = reference_run(model, inputs);
  // Two Identity nodes; then ones is read three times, zeros and mean twice.
  CHECK(separate_parameters(model) == 2 + 2 + 1 + 1);
  std::set<const Value*> distinct;
  for (const auto& node : model.graph.nodes()) {
    CHECK(node->op_type() == "BatchNormalization");
    for (size_t i = 1; i < 5; ++i) distinct.insert(node->input(i));
  }
  CHECK(distinct.size() == 8);
  const Value* own = model.graph.find("second");
  REQUIRE(own != nullptr);
  CHECK(own->is_initializer());
  CHECK(find_parameters(model, {"*"}).size() == 4);
  CHECK(reference_run(model, inputs).at("y").to_float() == before.at("y").to_float());
  CHECK(separate_parameters(model) == 0);
}

}  // namespace limbeck::test
