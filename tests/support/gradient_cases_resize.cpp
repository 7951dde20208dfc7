// Resize and Upsample over modes, coordinates, and where the sizes come from.
#include "tests/support/gradient_check.h"

namespace limbeck::test {
namespace {

using Strings = std::vector<std::pair<std::string, std::string>>;

GradientCase scaled(const Strings& attributes, const std::vector<float>& scales,
                    int64_t opset = 13) {
  std::string what;
  for (const auto& [name, value] : attributes) what += name + " " + value + ", ";
  return {what,
          {.op = "Resize",
           .opset = opset,
           .inputs = {spread({1, 2, 4, 5}, 1), Tensor{}, floats(scales)},
           .attributes = [attributes](NodeBuilder& node) {
             for (const auto& [name, value] : attributes) node.with(name, value);
           }}};
}

void add_modes(GradientCases& cases) {
  const std::string where = "coordinate_transformation_mode";
  for (const std::vector<float>& scales :
       {std::vector<float>{1, 1, 2, 1.6F}, std::vector<float>{1, 1, 0.6F, 0.7F}}) {
    for (const char* mode : {"nearest", "linear", "cubic"}) {
      for (const char* coordinates :
           {"half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric"}) {
        cases.push_back(scaled({{"mode", mode}, {where, coordinates}}, scales));
      }
    }
    cases.push_back(scaled({{"mode", "linear"}, {where, "half_pixel_symmetric"}}, scales, 19));
    for (const char* nearest : {"round_prefer_ceil", "floor", "ceil"})
      cases.push_back(scaled({{"mode", "nearest"}, {"nearest_mode", nearest}}, scales));
  }
}

GradientCase crop(const std::string& mode) {
  return {"crop " + mode,
          {.op = "Resize",
           .opset = 13,
           .inputs = {spread({1, 1, 4, 5}, 1), floats({0, 0, 0.3F, -0.2F, 1, 1, 1.2F, 0.7F}),
                      Tensor{}, ints({1, 1, 3, 6})},
           .attributes = [mode](NodeBuilder& node) {
             node.with("mode", mode).with("extrapolation_value", 0.7F);
             node.with("coordinate_transformation_mode", std::string("tf_crop_and_resize"));
           }}};
}

GradientCase antialiased(const std::string& mode, int64_t exclude) {
  return {"antialias " + mode,
          {.op = "Resize",
           .opset = 18,
           .inputs = {spread({5, 7}, 1), Tensor{}, floats({0.6F})},
           .attributes = [=](NodeBuilder& node) {
             node.with("mode", mode).with("antialias", 1).with("axes", std::vector<int64_t>{-1});
             node.with("exclude_outside", exclude);
           }}};
}

}  // namespace

GradientCases resize_gradient_cases() {
  GradientCases cases;
  add_modes(cases);
  for (const char* mode : {"nearest", "linear"}) cases.push_back(crop(mode));
  for (const char* mode : {"linear", "cubic"}) {
    for (const int64_t exclude : {0, 1}) cases.push_back(antialiased(mode, exclude));
  }
  const auto mode = [](const char* name) {
    return [name](NodeBuilder& node) { node.with("mode", std::string(name)); };
  };
  cases.push_back({"opset 10",
                   {.op = "Resize",
                    .opset = 10,
                    .inputs = {spread({1, 1, 3, 4}, 1), floats({1, 1, 2, 1.5F})},
                    .attributes = mode("linear")}});
  cases.push_back({"scales as attribute",
                   {.op = "Upsample",
                    .opset = 7,
                    .inputs = {spread({1, 2, 3, 2}, 1)},
                    .attributes = [](NodeBuilder& node) {
                      node.with("scales", std::vector<float>{1, 1, 2, 3});
                    }}});
  for (const char* name : {"nearest", "linear"}) {
    cases.push_back({"scales as input",
                     {.op = "Upsample",
                      .opset = 9,
                      .inputs = {spread({1, 2, 3, 2}, 1), floats({1, 1, 2, 3})},
                      .attributes = mode(name)}});
  }
  return cases;
}

}  // namespace limbeck::test
