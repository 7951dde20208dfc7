// Elementwise functions of several inputs, broadcast in each direction.
#include "tests/support/gradient_check.h"

namespace limbeck::test {
namespace {

struct Pair {
  const char* what;
  Dims a;
  Dims b;
};

const std::vector<Pair>& pairs() {
  static const std::vector<Pair> kPairs = {
      {"equal dimensions", {2, 3}, {2, 3}},  {"a row", {2, 3}, {3}},
      {"a column", {2, 3}, {2, 1}},          {"the left one repeated", {3}, {2, 3}},
      {"both repeated", {2, 1, 3}, {5, 1}},  {"a scalar", {2, 3}, {}},
      {"channels", {2, 3, 2, 2}, {3, 1, 1}}, {"a leading one", {3}, {1, 1, 3}},
  };
  return kPairs;
}

void add_binary(GradientCases& cases, const std::string& op, double low, double high, double low_b,
                double high_b) {
  for (const Pair& pair : pairs()) {
    cases.push_back({pair.what,
                     {.op = op,
                      .opset = 13,
                      .inputs = {spread(pair.a, 1, low, high), spread(pair.b, 2, low_b, high_b)}}});
  }
}

void add_variadic(GradientCases& cases, const std::string& op) {
  cases.push_back({"one", {.op = op, .opset = 13, .inputs = {spread({2, 3}, 1)}}});
  cases.push_back(
      {"two", {.op = op, .opset = 13, .inputs = {spread({2, 3}, 1), spread({3}, 2, -1.1, 1.3)}}});
  cases.push_back({"three, each repeated",
                   {.op = op,
                    .opset = 8,
                    .inputs = {spread({2, 1, 3}, 1), spread({4, 1}, 2, -0.83, 0.79),
                               spread({}, 3, 0.1, 0.3)}}});
}

Tensor flags(const Dims& dims) {
  Tensor result = Tensor::allocate(DataType::kBool, dims);
  auto items = result.mutable_as<uint8_t>();
  for (size_t i = 0; i < items.size(); ++i) items[i] = i % 3 == 0 ? 1 : 0;
  return result;
}

void add_clip(GradientCases& cases) {
  cases.push_back(
      {"limits as attributes",
       {.op = "Clip",
        .opset = 7,
        .inputs = {spread({3, 5}, 1)},
        .attributes = [](NodeBuilder& node) { node.with("min", -0.5F).with("max", 0.4F); }}});
  cases.push_back({"no limits", {.op = "Clip", .opset = 13, .inputs = {spread({3, 5}, 1)}}});
  cases.push_back({"both limits",
                   {.op = "Clip",
                    .opset = 13,
                    .inputs = {spread({3, 5}, 1), Tensor::scalar(-0.41), Tensor::scalar(0.43)}}});
  cases.push_back(
      {"upper limit",
       {.op = "Clip", .opset = 12, .inputs = {spread({3, 5}, 1), Tensor{}, Tensor::scalar(0.43)}}});
}

}  // namespace

GradientCases arithmetic_gradient_cases() {
  GradientCases cases;
  add_binary(cases, "Add", -1, 1, -1, 1);
  add_binary(cases, "Sub", -1, 1, -1, 1);
  add_binary(cases, "Mul", -1, 1, -1, 1);
  add_binary(cases, "Div", -1, 1, 0.5, 2);
  add_binary(cases, "Pow", 0.5, 2, -2, 2);
  for (const Pair& pair : pairs()) {
    if (pair.a.size() < pair.b.size() || pair.a == Dims{2, 1, 3}) continue;  // one-directional
    cases.push_back(
        {pair.what, {.op = "PRelu", .opset = 9, .inputs = {spread(pair.a, 1), spread(pair.b, 2)}}});
  }
  cases.push_back(
      {"an integer exponent",
       {.op = "Pow", .opset = 13, .inputs = {spread({2, 3}, 1), Tensor::scalar<int64_t>(3)}}});
  cases.push_back(
      {"a square of either sign",
       {.op = "Pow", .opset = 13, .inputs = {spread({2, 3}, 1), Tensor::scalar(2.0F)}}});
  for (const char* op : {"Max", "Min", "Sum", "Mean"}) add_variadic(cases, op);
  add_clip(cases);
  cases.push_back({"equal dimensions",
                   {.op = "Where",
                    .opset = 9,
                    .inputs = {flags({2, 5}), spread({2, 5}, 1), spread({2, 5}, 2)}}});
  cases.push_back({"each repeated",
                   {.op = "Where",
                    .opset = 16,
                    .inputs = {flags({4, 1}), spread({2, 1, 3}, 1), spread({3}, 2)}}});
  return cases;
}

}  // namespace limbeck::test
