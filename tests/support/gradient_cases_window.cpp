// Convolution, transposed convolution and pooling.
#include <functional>

#include "tests/support/gradient_check.h"

namespace limbeck::test {
namespace {

using Attributes = std::function<void(NodeBuilder&)>;
using List = std::vector<int64_t>;

struct Window {
  List strides = {};
  List pads = {};
  List dilations = {};
  std::string auto_pad = {};
  int64_t group = 1;
};

Attributes attributes(const Window& window) {
  return [=](NodeBuilder& node) {
    if (!window.strides.empty()) node.with("strides", window.strides);
    if (!window.pads.empty()) node.with("pads", window.pads);
    if (!window.dilations.empty()) node.with("dilations", window.dilations);
    if (!window.auto_pad.empty()) node.with("auto_pad", window.auto_pad);
    if (window.group != 1) node.with("group", window.group);
  };
}

void add_conv(GradientCases& cases, const char* what, const Dims& x, const Dims& w,
              const Window& window, bool bias = false) {
  std::vector<Tensor> inputs{spread(x, 1), spread(w, 2)};
  if (bias) inputs.push_back(spread({w[0]}, 3));
  cases.push_back(
      {what, {.op = "Conv", .opset = 11, .inputs = inputs, .attributes = attributes(window)}});
}

void add_convs(GradientCases& cases) {
  add_conv(cases, "one axis", {2, 2, 7}, {3, 2, 3}, {.pads = {1, 0}}, true);
  add_conv(cases, "padded", {2, 3, 5, 4}, {2, 3, 3, 3}, {.pads = {1, 1, 1, 1}}, true);
  add_conv(cases, "strides, uneven pads", {1, 2, 6, 7}, {3, 2, 3, 2},
           {.strides = {2, 3}, .pads = {1, 0, 0, 2}});
  add_conv(cases, "dilations", {1, 2, 7, 6}, {2, 2, 3, 2},
           {.pads = {2, 1, 2, 1}, .dilations = {2, 3}});
  add_conv(cases, "groups", {2, 4, 4, 5}, {6, 2, 2, 3},
           {.strides = {1, 2}, .pads = {0, 1, 1, 1}, .group = 2}, true);
  add_conv(cases, "depthwise", {2, 3, 5, 5}, {3, 1, 3, 3},
           {.strides = {2, 1}, .pads = {1, 1, 1, 1}, .group = 3}, true);
  add_conv(cases, "depthwise with a multiplier", {1, 2, 5, 4}, {6, 1, 3, 2},
           {.dilations = {2, 1}, .group = 2});
  add_conv(cases, "one input channel", {2, 1, 5, 4}, {3, 1, 2, 2}, {});
  add_conv(cases, "pointwise", {2, 3, 3, 4}, {5, 3, 1, 1}, {}, true);
  add_conv(cases, "pointwise with stride", {1, 3, 5, 5}, {2, 3, 1, 1}, {.strides = {2, 2}});
  add_conv(cases, "same upper", {1, 2, 6, 5}, {2, 2, 3, 2},
           {.strides = {2, 2}, .auto_pad = "SAME_UPPER"});
  add_conv(cases, "same lower", {1, 2, 6, 5}, {2, 2, 3, 2},
           {.strides = {2, 2}, .auto_pad = "SAME_LOWER"});
  add_conv(cases, "valid", {1, 2, 5, 5}, {2, 2, 3, 3}, {.auto_pad = "VALID"});
  add_conv(cases, "three axes", {1, 2, 3, 4, 3}, {2, 2, 2, 2, 2}, {.pads = {1, 0, 0, 0, 1, 0}});
}

void add_transpose(GradientCases& cases, const char* what, const Dims& x, const Dims& w,
                   const Window& window, const Attributes& more, bool bias = false) {
  std::vector<Tensor> inputs{spread(x, 1), spread(w, 2)};
  if (bias) inputs.push_back(spread({w[1] * window.group}, 3));
  cases.push_back(
      {what,
       {.op = "ConvTranspose", .opset = 11, .inputs = inputs, .attributes = [=](NodeBuilder& node) {
          attributes(window)(node);
          more(node);
        }}});
}

void add_transposes(GradientCases& cases) {
  const Attributes none = [](NodeBuilder&) {};
  const auto list = [](const char* name, const List& values) -> Attributes {
    return [=](NodeBuilder& node) { node.with(name, values); };
  };
  add_transpose(cases, "plain", {2, 3, 3, 4}, {3, 2, 3, 2}, {}, none, true);
  add_transpose(cases, "strides, pads", {1, 2, 3, 4}, {2, 3, 3, 3},
                {.strides = {2, 3}, .pads = {1, 0, 0, 1}}, none);
  add_transpose(cases, "output padding", {1, 2, 3, 3}, {2, 1, 3, 3}, {.strides = {2, 2}},
                list("output_padding", {1, 0}));
  add_transpose(cases, "output shape", {1, 2, 3, 3}, {2, 1, 3, 3}, {.strides = {2, 2}},
                list("output_shape", {6, 7}));
  add_transpose(cases, "groups, dilations", {1, 4, 3, 3}, {4, 2, 2, 2},
                {.dilations = {2, 1}, .group = 2}, none, true);
  add_transpose(cases, "same upper", {1, 2, 3, 4}, {2, 2, 3, 3},
                {.strides = {2, 2}, .auto_pad = "SAME_UPPER"}, none);
  add_transpose(cases, "one axis", {2, 2, 5}, {2, 3, 4}, {.strides = {3}}, none);
}

void add_pool(GradientCases& cases, const std::string& op, const char* what, const Dims& x,
              const List& kernel, const Window& window, const Attributes& more) {
  cases.push_back({what,
                   {.op = op,
                    .opset = op == "AveragePool" && !window.dilations.empty() ? 19 : 12,
                    .inputs = {spread(x, 1)},
                    .attributes = [=](NodeBuilder& node) {
                      node.with("kernel_shape", kernel);
                      attributes(window)(node);
                      more(node);
                    }}});
}

void add_pools(GradientCases& cases, const std::string& op) {
  const auto flag = [](const char* name) -> Attributes {
    return [=](NodeBuilder& node) { node.with(name, 1); };
  };
  const Attributes none = [](NodeBuilder&) {};
  add_pool(cases, op, "overlapping", {2, 2, 5, 6}, {3, 2}, {}, none);
  add_pool(cases, op, "strides and pads", {1, 2, 6, 5}, {3, 3},
           {.strides = {2, 2}, .pads = {1, 0, 1, 2}}, none);
  add_pool(cases, op, "dilations", {1, 1, 7, 6}, {2, 3}, {.dilations = {3, 2}}, none);
  add_pool(cases, op, "ceil mode", {1, 2, 6, 7}, {3, 2}, {.strides = {2, 3}}, flag("ceil_mode"));
  add_pool(cases, op, "same upper", {1, 2, 5, 6}, {3, 3},
           {.strides = {2, 2}, .auto_pad = "SAME_UPPER"}, none);
  add_pool(cases, op, "same lower", {1, 2, 5, 6}, {2, 3},
           {.strides = {2, 2}, .auto_pad = "SAME_LOWER"}, none);
  add_pool(cases, op, "one axis", {2, 2, 7}, {3}, {.strides = {2}, .pads = {1, 1}}, none);
  if (op != "AveragePool") return;
  add_pool(cases, op, "padding counts", {1, 2, 5, 6}, {3, 3},
           {.strides = {2, 2}, .pads = {1, 1, 1, 1}}, flag("count_include_pad"));
  add_pool(cases, op, "padding counts, ceil mode", {1, 1, 6, 6}, {3, 3},
           {.strides = {2, 2}, .pads = {1, 0, 1, 0}},
           [](NodeBuilder& node) { node.with("count_include_pad", 1).with("ceil_mode", 1); });
}

}  // namespace

GradientCases window_gradient_cases() {
  GradientCases cases;
  add_convs(cases);
  add_transposes(cases);
  add_pools(cases, "MaxPool");
  add_pools(cases, "AveragePool");
  cases.push_back({"with indices",
                   {.op = "MaxPool",
                    .opset = 12,
                    .inputs = {spread({1, 2, 4, 4}, 1)},
                    .attributes =
                        [](NodeBuilder& node) {
                          node.with("kernel_shape", List{2, 2});
                        },
                    .outputs = 2}});
  for (const char* op : {"GlobalAveragePool", "GlobalMaxPool"}) {
    cases.push_back({"images", {.op = op, .opset = 13, .inputs = {spread({2, 3, 3, 5}, 1)}}});
    cases.push_back({"one axis", {.op = op, .opset = 7, .inputs = {spread({2, 3, 7}, 1)}}});
  }
  return cases;
}

}  // namespace limbeck::test
