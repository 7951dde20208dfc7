// Reductions and softmax.
#include "tests/support/gradient_check.h"

namespace limbeck::test {
namespace {

using List = std::vector<int64_t>;

void add_reduction(GradientCases& cases, const std::string& op, double low, double high) {
  const Tensor x = spread({2, 3, 5}, 1, low, high);
  const auto with = [&](const char* what, const List& axes, int64_t keep) {
    cases.push_back(
        {what, {.op = op, .opset = 11, .inputs = {x}, .attributes = [=](NodeBuilder& node) {
                  if (!axes.empty()) node.with("axes", axes);
                  node.with("keepdims", keep);
                }}});
  };
  with("all axes", {}, 1);
  with("all axes, dropped", {}, 0);
  with("the middle axis", {1}, 1);
  with("negative axes, dropped", {-1, 0}, 0);
  const int64_t moved = op == "ReduceSum" ? 13 : 18;  // opset in which axes became an input
  cases.push_back({"axes as input", {.op = op, .opset = moved, .inputs = {x, ints({-2})}}});
  cases.push_back({"no axes, no operation",
                   {.op = op, .opset = moved, .inputs = {x}, .attributes = [](NodeBuilder& node) {
                      node.with("noop_with_empty_axes", 1);
                    }}});
}

void add_softmax(GradientCases& cases, const std::string& op) {
  const Tensor x = spread({2, 3, 4}, 1, -2, 2);
  for (const int64_t opset : {11, 13}) {
    cases.push_back({"default axis", {.op = op, .opset = opset, .inputs = {x}}});
    for (const int64_t axis : {0, 1, -1}) {
      cases.push_back(
          {"axis",
           {.op = op, .opset = opset, .inputs = {x}, .attributes = [axis](NodeBuilder& node) {
              node.with("axis", axis);
            }}});
    }
  }
}

}  // namespace

GradientCases reduction_gradient_cases() {
  GradientCases cases;
  for (const char* op : {"ReduceSum", "ReduceMean", "ReduceL1", "ReduceL2", "ReduceSumSquare",
                         "ReduceLogSumExp", "ReduceMax", "ReduceMin"}) {
    add_reduction(cases, op, -1, 1);
  }
  add_reduction(cases, "ReduceLogSum", 0.5, 2);
  add_softmax(cases, "Softmax");
  add_softmax(cases, "LogSoftmax");
  return cases;
}

}  // namespace limbeck::test
