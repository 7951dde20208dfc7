// The stated surrogate of QuantizeLinear and DequantizeLinear, with numbers to redo by hand.
#include <catch2/catch_test_macros.hpp>

#include "lib/ops/gradient.h"
#include "tests/support/run_node.h"

namespace limbeck::test {
namespace {

/// Gradients of data and scale for a given gradient of the output.
template <typename T>
std::vector<Tensor> backward(const NodeCase& node_case, const std::vector<T>& dy) {
  ModelBuilder builder(node_case.opset);
  std::vector<std::string> names;
  for (size_t i = 0; i < node_case.inputs.size(); ++i) {
    names.push_back("i" + std::to_string(i));
    builder.input(names.back(), node_case.inputs[i].dims(), node_case.inputs[i].type());
  }
  NodeBuilder node = builder.output("y", DataType::kUndefined).node(node_case.op, names, {"y"});
  node_case.attributes(node);
  const Model model = builder.build();
  const auto gradient = find_op("", node_case.op, node_case.opset)
                            ->gradient(*model.graph.nodes().front(), node_case.opset);
  std::vector<ForwardValue> values;
  std::vector<const ForwardValue*> inputs;
  for (const Tensor& tensor : node_case.inputs)
    values.push_back({tensor.type(), tensor.dims(), tensor});
  for (const ForwardValue& value : values) inputs.push_back(&value);
  const ForwardValue output{DataType::kUndefined, node_case.inputs[0].dims(), {}};
  const ForwardValue* const outputs[] = {&output};
  const Tensor cotangent = Tensor::from<T>(node_case.inputs[0].dims(), dy);
  const Tensor* const cotangents[] = {&cotangent};
  const std::vector<uint8_t> wanted{1, 1, 0};
  std::vector<Tensor> gradients(names.size());
  GradientContext context({inputs, outputs, cotangents, wanted, gradients});
  gradient->run(context);
  return gradients;
}

using Floats = std::vector<float>;

}  // namespace

TEST_CASE("QuantizeLinear passes the gradient per step where the code is not clipped",
          "[ops][gradient]") {
  // v = x / 0.5 = 0.6, -3, 300, -300; codes 1, -3, and both ends of int8.
  const auto gradients =
      backward<float>({.op = "QuantizeLinear",
                       .inputs = {floats({0.3F, -1.5F, 150, -150}), Tensor::scalar(0.5F),
                                  Tensor::scalar<int8_t>(0)}},
                      {1, 2, 4, 8});
  CHECK(gradients[0].to_float() == Floats{2, 4, 0, 0});
  // -(1 * 0.6 + 2 * -3) / 0.5; clipped codes do not move with the scale.
  CHECK(gradients[1].to_float()[0] == 10.8F);
}

TEST_CASE("QuantizeLinear clips where the rounded code leaves the range, zero point included",
          "[ops][gradient]") {
  // uint8 with zero point 250: 5.4 rounds to code 255, 5.6 to 256.
  const auto gradients = backward<float>(
      {.op = "QuantizeLinear",
       .inputs = {floats({5.4F, 5.6F}), Tensor::scalar(1.0F), Tensor::scalar<uint8_t>(250)}},
      {1, 1});
  CHECK(gradients[0].to_float() == Floats{1, 0});
}

TEST_CASE("QuantizeLinear in double passes the gradient in double", "[ops][gradient]") {
  const auto gradients =
      backward<double>({.op = "QuantizeLinear",
                        .inputs = {Tensor::from<double>({1}, {0.3}), Tensor::scalar(0.25F),
                                   Tensor::scalar<int8_t>(0)}},
                       {0.1});
  CHECK(gradients[0].as<double>()[0] == 0.4);
}

TEST_CASE("DequantizeLinear is linear in the codes and in the scale", "[ops][gradient]") {
  const auto gradients =
      backward<float>({.op = "DequantizeLinear",
                       .inputs = {Tensor::from<uint8_t>({2, 2}, {10, 20, 130, 0}),
                                  floats({0.5F, 2}), Tensor::from<uint8_t>({2}, {10, 30})},
                       .attributes = [](NodeBuilder& node) { node.with("axis", 0); }},
                      {1, 2, 4, 8});
  CHECK(gradients[0].to_float() == Floats{0.5F, 1, 8, 16});
  // Codes minus zero points: 0, 10 and 100, -30.
  CHECK(gradients[1].to_float() == Floats{1 * 0 + 2 * 10, 4 * 100 - 8 * 30});
}

TEST_CASE("quantizing and dequantizing gives the gradient of learned step sizes",
          "[ops][gradient]") {
  // LSQ (Esser et al. 2020): d y / d scale is round(v) - v inside the range, the clipped code
  // outside. v = 1.25, -2.75, 200 with the codes of int8.
  const Tensor scale = Tensor::scalar(1.0F);
  const Tensor zero = Tensor::scalar<int8_t>(0);
  const std::vector<float> v{1.25F, -2.75F, 200};
  const Floats expected{1 - 1.25F, -3 + 2.75F, 127};
  for (size_t i = 0; i < v.size(); ++i) {
    const NodeCase quantize{.op = "QuantizeLinear", .inputs = {floats({v[i]}), scale, zero}};
    const Tensor code = run_node(quantize)[0];
    const auto after =
        backward<float>({.op = "DequantizeLinear", .inputs = {code, scale, zero}}, {1});
    const auto before = backward<float>(quantize, after[0].to_float());
    CHECK(after[1].to_float()[0] + before[1].to_float()[0] == expected[i]);
  }
}

}  // namespace limbeck::test
