// Elementwise functions of one input.
#include <functional>

#include "tests/support/gradient_check.h"

namespace limbeck::test {
namespace {

using Attributes = std::function<void(NodeBuilder&)>;

GradientCase unary(
    const std::string& op, int64_t opset, double low, double high,
    const std::string& what = "defaults", const Attributes& attributes = [](NodeBuilder&) {}) {
  return {what,
          {.op = op,
           .opset = opset,
           .inputs = {spread({3, 7}, 1, low, high)},
           .attributes = attributes}};
}

Attributes number(const std::string& name, float value) {
  return [=](NodeBuilder& node) { node.with(name, value); };
}

Attributes numbers(const std::string& a, float x, const std::string& b, float y) {
  return [=](NodeBuilder& node) { node.with(a, x).with(b, y); };
}

}  // namespace

GradientCases unary_gradient_cases() {
  return {
      unary("Abs", 13, -2, 2),
      unary("Acos", 13, -0.9, 0.9),
      unary("Acosh", 13, 1.2, 3),
      unary("Asin", 13, -0.9, 0.9),
      unary("Asinh", 13, -3, 3),
      unary("Atan", 13, -3, 3),
      unary("Atanh", 13, -0.9, 0.9),
      unary("Celu", 13, -2, 2),
      unary("Celu", 13, -2, 2, "alpha", number("alpha", 0.7F)),
      unary("Cos", 13, -3, 3),
      unary("Cosh", 13, -2, 2),
      unary("Elu", 13, -2, 2),
      unary("Elu", 13, -2, 2, "alpha", number("alpha", 0.3F)),
      unary("Erf", 13, -2, 2),
      unary("Exp", 13, -2, 2),
      unary("Gelu", 20, -3, 3),
      unary("Gelu", 20, -3, 3, "tanh",
            [](NodeBuilder& node) { node.with("approximate", std::string("tanh")); }),
      unary("HardSigmoid", 13, -4, 4),
      unary("HardSigmoid", 13, -4, 4, "slope", numbers("alpha", 0.3F, "beta", 0.4F)),
      unary("HardSwish", 14, -5, 5),
      unary("Identity", 13, -1, 1),
      unary("LeakyRelu", 13, -1, 1),
      unary("LeakyRelu", 13, -1, 1, "alpha", number("alpha", 0.25F)),
      unary("Log", 13, 0.3, 3),
      unary("Mish", 18, -3, 3),
      unary("Neg", 13, -1, 1),
      unary("Reciprocal", 13, 0.5, 2),
      unary("Reciprocal", 13, -2, -0.5, "below zero"),
      unary("Relu", 13, -1, 1),
      unary("Relu", 7, -1, 1, "opset 7"),
      unary("Selu", 13, -2, 2),
      unary("Selu", 13, -2, 2, "constants", numbers("alpha", 1.3F, "gamma", 0.8F)),
      unary("Shrink", 13, -2, 2),
      unary("Shrink", 13, -2, 2, "bias", numbers("bias", 0.2F, "lambd", 0.9F)),
      unary("Sigmoid", 13, -3, 3),
      unary("Sin", 13, -3, 3),
      unary("Sinh", 13, -2, 2),
      unary("Softplus", 13, -3, 3),
      unary("Softsign", 13, -3, 3),
      unary("Sqrt", 13, 0.3, 3),
      unary("Tan", 13, -1, 1),
      unary("Tanh", 13, -2, 2),
      unary("ThresholdedRelu", 13, -2, 2),
      unary("ThresholdedRelu", 13, -2, 2, "alpha", number("alpha", 0.3F)),
      unary("Dropout", 13, -1, 1, "inference"),
      unary("Dropout", 7, -1, 1, "ratio as attribute", number("ratio", 0.4F)),
      {"mask output", {.op = "Dropout", .opset = 13, .inputs = {spread({2, 3}, 1)}, .outputs = 2}},
      {"to double",
       {.op = "Cast",
        .opset = 13,
        .inputs = {spread({2, 3}, 1)},
        .attributes = [](NodeBuilder& node) { node.with("to", 11); }}},
  };
}

}  // namespace limbeck::test
