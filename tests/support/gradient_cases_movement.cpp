// Operators that move elements.
#include <functional>

#include "tests/support/gradient_check.h"

namespace limbeck::test {
namespace {

using Attributes = std::function<void(NodeBuilder&)>;
using List = std::vector<int64_t>;

void none(NodeBuilder&) {}

GradientCase one(const char* what, const std::string& op, int64_t opset, std::vector<Tensor> inputs,
                 const Attributes& attributes = none, size_t outputs = 1) {
  return {what,
          {.op = op,
           .opset = opset,
           .inputs = std::move(inputs),
           .attributes = attributes,
           .outputs = outputs}};
}

Attributes list(const std::string& name, const List& values) {
  return [=](NodeBuilder& node) { node.with(name, values); };
}

Attributes axis(int64_t value) {
  return [=](NodeBuilder& node) { node.with("axis", value); };
}

void add_shapes(GradientCases& cases) {
  const Tensor x = spread({2, 3, 4}, 1);
  const Tensor thin = spread({1, 3, 1, 2}, 2);
  cases.push_back(one("copied and open dimension", "Reshape", 13, {x, ints({0, -1})}));
  cases.push_back(one("opset 7", "Reshape", 7, {x, ints({4, 6})}));
  cases.push_back(one("axis 1", "Flatten", 13, {x}));
  cases.push_back(one("axis 0", "Flatten", 9, {x}, axis(0)));
  cases.push_back(one("negative axis", "Flatten", 13, {x}, axis(-1)));
  cases.push_back(one("all", "Squeeze", 13, {thin}));
  cases.push_back(one("axes as attribute", "Squeeze", 11, {thin}, list("axes", {0, -2})));
  cases.push_back(one("axes as input", "Squeeze", 13, {thin, ints({-2})}));
  cases.push_back(one("axes as attribute", "Unsqueeze", 11, {x}, list("axes", {0, 2})));
  cases.push_back(one("axes as input", "Unsqueeze", 13, {x, ints({-1, 1})}));
  cases.push_back(one("reversed", "Transpose", 13, {x}));
  cases.push_back(one("perm", "Transpose", 13, {x}, list("perm", {1, 2, 0})));
  cases.push_back(one("one axis", "Expand", 13, {spread({3, 1}, 1), ints({3, 4})}));
  cases.push_back(one("new axes", "Expand", 8, {spread({3, 1}, 1), ints({2, 1, 5})}));
  cases.push_back(one("repeats", "Tile", 13, {spread({2, 3}, 1), ints({3, 2})}));
}

void add_joins(GradientCases& cases) {
  cases.push_back(one("three along axis 1", "Concat", 13,
                      {spread({2, 1, 3}, 1), spread({2, 3, 3}, 2), spread({2, 2, 3}, 3)}, axis(1)));
  cases.push_back(
      one("negative axis", "Concat", 11, {spread({2, 3}, 1), spread({2, 5}, 2)}, axis(-1)));
  cases.push_back(one("equal parts", "Split", 13, {spread({2, 6}, 1)}, axis(1), 3));
  cases.push_back(
      one("sizes as attribute", "Split", 11, {spread({5, 2}, 1)}, list("split", {1, 4}), 2));
  cases.push_back(
      one("sizes as input", "Split", 13, {spread({2, 7, 2}, 1), ints({3, 1, 3})}, axis(-2), 3));
  cases.push_back(one(
      "uneven", "Split", 18, {spread({7}, 1)},
      [](NodeBuilder& node) { node.with("num_outputs", 3); }, 3));
}

void add_slices(GradientCases& cases) {
  const Tensor x = spread({5, 7}, 1);
  cases.push_back(one("attributes", "Slice", 9, {x}, [](NodeBuilder& node) {
    node.with("starts", List{1, -4}).with("ends", List{4, 100}).with("axes", List{0, 1});
  }));
  cases.push_back(one("inputs", "Slice", 13, {x, ints({1, 0}), ints({3, 5})}));
  cases.push_back(one("negative step and axis", "Slice", 13,
                      {x, ints({-1, 0}), ints({-100, 7}), ints({-1, 0}), ints({-2, 3})}));
  cases.push_back(one("axis 0", "Gather", 13, {x, ints({4, 0, 4, -1})}));
  cases.push_back(one("negative axis, matrix of indices", "Gather", 11,
                      {x, Tensor::from<int64_t>({2, 2}, {0, 6, 3, 3})}, axis(-1)));
  cases.push_back(one("a scalar index", "Gather", 13, {x, Tensor::scalar<int64_t>(2)}, axis(1)));
  cases.push_back(one("axis 1", "GatherElements", 13,
                      {x, Tensor::from<int64_t>({2, 3}, {0, 0, -1, 5, 2, 5})}, axis(1)));
  cases.push_back(
      one("axis 0", "GatherElements", 11, {x, Tensor::from<int64_t>({3, 2}, {0, 1, -1, 4, 2, 4})}));
}

void add_pads(GradientCases& cases) {
  const Tensor x = spread({3, 4}, 1);
  cases.push_back(one("attributes", "Pad", 10, {x}, [](NodeBuilder& node) {
    node.with("pads", List{1, 0, 2, 3}).with("value", 0.5F);
  }));
  for (const char* mode : {"constant", "reflect", "edge", "wrap"}) {
    cases.push_back(one(mode, "Pad", 19, {x, ints({1, 2, 2, 1})},
                        [mode](NodeBuilder& node) { node.with("mode", std::string(mode)); }));
  }
  cases.push_back(one("a fill element", "Pad", 13, {x, ints({1, 0, 0, 2}), Tensor::scalar(0.3)}));
  cases.push_back(one("negative pads", "Pad", 13, {x, ints({-1, 1, 0, -2})}));
  cases.push_back(one("axes", "Pad", 18, {x, ints({2, 1}), Tensor{}, ints({-1})}));
}

void add_depth(GradientCases& cases) {
  const auto block = [](const char* mode) {
    return [mode](NodeBuilder& node) { node.with("blocksize", 2).with("mode", std::string(mode)); };
  };
  const Tensor deep = spread({2, 8, 2, 3}, 1);
  cases.push_back(one("DCR", "DepthToSpace", 13, {deep}, block("DCR")));
  cases.push_back(one("CRD", "DepthToSpace", 11, {deep}, block("CRD")));
  cases.push_back(one("blocks of 3", "SpaceToDepth", 13, {spread({1, 2, 3, 6}, 1)},
                      [](NodeBuilder& node) { node.with("blocksize", 3); }));
}

void add_sums(GradientCases& cases) {
  for (const bool exclusive : {false, true}) {
    for (const bool reverse : {false, true}) {
      cases.push_back(one("exclusive, reverse in every combination", "CumSum", 14,
                          {spread({2, 5, 3}, 1), Tensor::scalar<int64_t>(exclusive ? -2 : 1)},
                          [=](NodeBuilder& node) {
                            node.with("exclusive", exclusive ? 1 : 0);
                            node.with("reverse", reverse ? 1 : 0);
                          }));
    }
  }
  cases.push_back(one("last axis", "CumSum", 11, {spread({2, 5}, 1), Tensor::scalar<int32_t>(1)}));
}

}  // namespace

GradientCases movement_gradient_cases() {
  GradientCases cases;
  add_shapes(cases);
  add_joins(cases);
  add_slices(cases);
  add_pads(cases);
  add_depth(cases);
  add_sums(cases);
  return cases;
}

}  // namespace limbeck::test
