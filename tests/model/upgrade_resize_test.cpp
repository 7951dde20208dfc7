// Operators that read between pixels: the same results before and after.
#include "tests/model/upgrade_case.h"

using namespace limbeck;
using test::check_error;
using test::check_upgrade;
using test::ModelBuilder;
using test::noise;
using test::upgrade_error;
using test::upgraded;

namespace {

const Dims kDims{1, 2, 3, 4};

test::NamedTensors image() { return {{"x", noise(kDims, 1)}}; }

ModelBuilder resize_10(const std::vector<float>& scales, const std::string& mode) {
  ModelBuilder builder(10);
  builder.input("x", kDims).output("y").weight("scales", test::floats(scales));
  builder.node("Resize", {"x", "scales"}, {"y"}).with("mode", mode);
  return builder;
}

ModelBuilder resize_11(const std::string& coordinates) {
  ModelBuilder builder(11);
  builder.input("x", kDims).output("y");
  builder.weight("roi", Tensor::zeros(DataType::kFloat, {0}));
  builder.weight("scales", test::floats({1, 1, 2, 2}));
  builder.node("Resize", {"x", "roi", "scales"}, {"y"})
      .with("mode", std::string("nearest"))
      .with("coordinate_transformation_mode", coordinates);
  return builder;
}

}  // namespace

TEST_CASE("Upsample becomes a Resize that reads the same pixels", "[model]") {
  for (const std::string mode : {"nearest", "linear"}) {
    INFO(mode);
    ModelBuilder attribute(7);
    attribute.input("x", kDims).output("y");
    attribute.node("Upsample", {"x"}, {"y"})
        .with("scales", std::vector<float>{1, 1, 2, 3})
        .with("mode", mode);
    CHECK(check_upgrade(attribute, 9, image()) == "y = Upsample(x, y_scales)\nreturn y\n");
    CHECK(check_upgrade(attribute, 10, image()) == "y = Resize(x, y_scales)\nreturn y\n");
    CHECK(check_upgrade(attribute, 13, image()) == "y = Resize(x, -, y_scales)\nreturn y\n");
    check_upgrade(attribute, 21, image());
  }
}

TEST_CASE("a Resize of opset 10 reads the same pixels in opset 11 and later", "[model]") {
  for (const std::string mode : {"nearest", "linear"}) {
    for (const std::vector<float>& scales :
         {std::vector<float>{1, 1, 2, 3}, std::vector<float>{1, 1, 0.67F, 0.5F},
          std::vector<float>{1, 1, 1.34F, 1.5F}}) {
      INFO(mode << " " << scales[2]);
      CHECK(check_upgrade(resize_10(scales, mode), 11, image()) ==
            "y = Resize(x, y_roi, scales)\nreturn y\n");
      check_upgrade(resize_10(scales, mode), 13, image());
      check_upgrade(resize_10(scales, mode), 19, image());
    }
  }
}

TEST_CASE("a nearest Resize that grows and shrinks cannot pass opset 11", "[model]") {
  check_error(upgrade_error(resize_10({1, 1, 2, 0.5F}, "nearest"), 13), Category::kUnsupported,
              "node 'n0' (Resize)", "a nearest Resize must grow or shrink, not both",
              "scales below and above one");
  check_upgrade(resize_10({1, 1, 2, 0.5F}, "linear"), 13, image());
}

TEST_CASE("a nearest Resize by computed scales cannot pass opset 11", "[model]") {
  ModelBuilder builder(10);
  builder.input("x", kDims).input("scales", {4}).output("y");
  builder.node("Resize", {"x", "scales"}, {"y"}).with("mode", std::string("nearest"));
  check_error(upgrade_error(builder, 13), Category::kUnsupported, "node 'n0' (Resize)",
              "the scales of a nearest Resize must be constant", "scales computed at run time");
}

TEST_CASE("empty tensors for absent inputs of Resize are left out in opset 13", "[model]") {
  CHECK(check_upgrade(resize_11("half_pixel"), 13, image()) ==
        "y = Resize(x, -, scales)\nreturn y\n");
  ModelBuilder sizes(11);
  sizes.input("x", kDims).output("y").weight("sizes", test::ints({1, 2, 6, 5}));
  sizes.weight("none", Tensor::zeros(DataType::kFloat, {0}));
  sizes.node("Resize", {"x", "none", "none", "sizes"}, {"y"}).with("mode", std::string("linear"));
  CHECK(check_upgrade(sizes, 13, image()) == "y = Resize(x, -, -, sizes)\nreturn y\n");
}

TEST_CASE("a coordinate mode that opset 13 dropped cannot pass it", "[model]") {
  check_error(upgrade_error(resize_11("tf_half_pixel_for_nn"), 13), Category::kUnsupported,
              "node 'n0' (Resize)", "the coordinate mode must exist in opset 13",
              "tf_half_pixel_for_nn");
}

TEST_CASE("RoiAlign states the pixel positions that were its default before opset 16", "[model]") {
  ModelBuilder builder(10);
  builder.input("x", kDims).input("rois", {1, 4}).input("i", {1}, DataType::kInt64).output("y");
  builder.node("RoiAlign", {"x", "rois", "i"}, {"y"});
  CHECK(upgraded(builder, 16)
            .graph.nodes()
            .front()
            ->string_attribute("coordinate_transformation_mode", "") == "output_half_pixel");
  CHECK_FALSE(
      upgraded(builder, 15).graph.nodes().front()->has_attribute("coordinate_transformation_mode"));
}

TEST_CASE("the modes of GridSample are renamed in opset 20", "[model]") {
  const auto mode_of = [](const std::string& mode) {
    ModelBuilder builder(16);
    builder.input("x", kDims).input("grid", {1, 2, 2, 2}).output("y");
    auto node = builder.node("GridSample", {"x", "grid"}, {"y"});
    if (!mode.empty()) node.with("mode", mode);
    return upgraded(builder, 20).graph.nodes().front()->string_attribute("mode", "none");
  };
  CHECK(mode_of("bilinear") == "linear");
  CHECK(mode_of("") == "linear");
  CHECK(mode_of("bicubic") == "cubic");
  CHECK(mode_of("nearest") == "nearest");
}
