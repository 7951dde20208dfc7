// Matrix products.
#include "tests/support/gradient_check.h"

namespace limbeck::test {
namespace {

struct Factors {
  const char* what;
  Dims a;
  Dims b;
};

GradientCase gemm(bool turn_a, bool turn_b, const Dims& bias) {
  return {"either transposition, every bias",
          {.op = "Gemm",
           .opset = 13,
           .inputs = {spread(turn_a ? Dims{4, 3} : Dims{3, 4}, 1),
                      spread(turn_b ? Dims{5, 4} : Dims{4, 5}, 2), spread(bias, 3)},
           .attributes = [=](NodeBuilder& node) {
             node.with("transA", turn_a ? 1 : 0).with("transB", turn_b ? 1 : 0);
             node.with("alpha", 0.75F).with("beta", 1.5F);
           }}};
}

}  // namespace

GradientCases matmul_gradient_cases() {
  GradientCases cases;
  for (const Factors& factors : std::vector<Factors>{{"matrices", {3, 4}, {4, 5}},
                                                     {"batches", {2, 3, 4}, {2, 4, 5}},
                                                     {"a shared right factor", {2, 3, 4}, {4, 5}},
                                                     {"a shared left factor", {3, 4}, {2, 4, 5}},
                                                     {"both repeated", {2, 1, 3, 4}, {3, 4, 2}},
                                                     {"a vector on the left", {4}, {4, 5}},
                                                     {"a vector on the right", {2, 3, 4}, {4}},
                                                     {"two vectors", {7}, {7}}}) {
    cases.push_back(
        {factors.what,
         {.op = "MatMul", .opset = 13, .inputs = {spread(factors.a, 1), spread(factors.b, 2)}}});
  }
  for (const bool turn_a : {false, true}) {
    for (const bool turn_b : {false, true}) {
      for (const Dims& bias : {Dims{5}, Dims{3, 1}, Dims{3, 5}, Dims{}})
        cases.push_back(gemm(turn_a, turn_b, bias));
    }
  }
  cases.push_back(
      {"no bias", {.op = "Gemm", .opset = 11, .inputs = {spread({3, 4}, 1), spread({4, 2}, 2)}}});
  return cases;
}

}  // namespace limbeck::test
