#include "lib/data/prepare_image.h"

#include <catch2/catch_test_macros.hpp>

#include "tests/support/data_files.h"

using namespace limbeck;
using namespace limbeck::test;

namespace {

/// Two rows of two pixels.
Image four_pixels() { return {2, 2, 3, {255, 0, 51, 102, 153, 204, 1, 2, 3, 4, 5, 6}}; }

/// Row y, column x holds 10 y + x in all channels.
Image numbered(size_t width, size_t height) {
  Image image{width, height, 3, {}};
  for (size_t y = 0; y < height; ++y) {
    for (size_t x = 0; x < width; ++x)
      image.pixels.insert(image.pixels.end(), 3, static_cast<uint8_t>(10 * y + x));
  }
  return image;
}

std::vector<float> prepared(const nlohmann::json& description, Image image) {
  const ImagePreparation preparation(description, "data.json");
  const Image pixels = preparation.pixels(std::move(image), "sample");
  int64_t count = 1;
  for (const int64_t dim : preparation.dims(pixels)) count *= dim;
  std::vector<float> values(static_cast<size_t>(count));
  preparation.normalise(pixels, values.data());
  return values;
}

std::vector<uint8_t> first_channel(const nlohmann::json& description, Image image) {
  const Image pixels = ImagePreparation(description, "").pixels(std::move(image), "sample");
  std::vector<uint8_t> values;
  for (size_t i = 0; i < pixels.pixels.size(); i += pixels.channels)
    values.push_back(pixels.pixels[i]);
  return values;
}

Dims prepared_dims(const nlohmann::json& description, Image image) {
  const ImagePreparation preparation(description, "");
  return preparation.dims(preparation.pixels(std::move(image), "sample"));
}

std::vector<float> over_255(const std::vector<int>& bytes) {
  std::vector<float> values;
  for (const int byte : bytes) values.push_back(static_cast<float>(byte) / 255.0F);
  return values;
}

}  // namespace

TEST_CASE("values are pixel / 255 in planes of red, green, blue by default", "[data]") {
  CHECK(prepared(nlohmann::json::object(), four_pixels()) ==
        over_255({255, 102, 1, 4, 0, 153, 2, 5, 51, 204, 3, 6}));
  CHECK(prepared_dims(nlohmann::json::object(), four_pixels()) == Dims{3, 2, 2});
}

TEST_CASE("NHWC keeps the channels of a pixel together", "[data]") {
  const nlohmann::json description = {{"layout", "NHWC"}};
  CHECK(prepared(description, four_pixels()) ==
        over_255({255, 0, 51, 102, 153, 204, 1, 2, 3, 4, 5, 6}));
  CHECK(prepared_dims(description, four_pixels()) == Dims{2, 2, 3});
}

TEST_CASE("BGR turns the channel order round in both layouts", "[data]") {
  CHECK(prepared({{"color", "BGR"}}, four_pixels()) ==
        over_255({51, 204, 3, 6, 0, 153, 2, 5, 255, 102, 1, 4}));
  CHECK(prepared({{"color", "BGR"}, {"layout", "NHWC"}}, four_pixels()) ==
        over_255({51, 0, 255, 204, 153, 102, 3, 2, 1, 6, 5, 4}));
}

TEST_CASE("gray is the ITU-R 601 luma", "[data]") {
  // 0.299 * 255 + 0.114 * 51 = 82.06; 0.299 * 102 + 0.587 * 153 + 0.114 * 204 = 143.57
  CHECK(prepared({{"color", "GRAY"}}, four_pixels()) == over_255({82, 144, 2, 5}));
  CHECK(prepared_dims({{"color", "GRAY"}}, four_pixels()) == Dims{1, 2, 2});
}

TEST_CASE("equal channels keep their value as gray", "[data]") {
  Image image{256, 1, 3, {}};
  for (int value = 0; value < 256; ++value)
    image.pixels.insert(image.pixels.end(), 3, static_cast<uint8_t>(value));
  std::vector<int> all(256);
  for (int value = 0; value < 256; ++value) all[static_cast<size_t>(value)] = value;
  CHECK(prepared({{"color", "GRAY"}}, image) == over_255(all));
}

TEST_CASE("values are (pixel / 255 - mean) / std of their channel", "[data]") {
  const nlohmann::json description = {{"mean", {0.5, 0.25, 0.0}}, {"std", {0.5, 0.25, 2.0}}};
  const auto values = prepared(description, {1, 1, 3, {255, 0, 51}});
  // (1 - 0.5) / 0.5, (0 - 0.25) / 0.25, 0.2 / 2
  CHECK(values == std::vector<float>{1.0F, -1.0F, 0.1F});
}

TEST_CASE("mean and std belong to the channels in the model's order", "[data]") {
  const nlohmann::json description = {{"color", "BGR"}, {"mean", {1.0, 0.0, 0.0}}};
  CHECK(prepared(description, {1, 1, 3, {255, 0, 51}}) ==
        std::vector<float>{51 / 255.0F - 1.0F, 0.0F, 1.0F});
}

TEST_CASE("each byte's value is exact in single precision", "[data]") {
  const nlohmann::json description = {{"color", "GRAY"}, {"mean", {0.4914}}, {"std", {0.247}}};
  Image image{256, 1, 3, {}};
  for (int value = 0; value < 256; ++value)
    image.pixels.insert(image.pixels.end(), 3, static_cast<uint8_t>(value));
  const auto values = prepared(description, image);
  for (size_t byte = 0; byte < 256; ++byte)
    CHECK(values[byte] == (static_cast<float>(byte) / 255.0F - 0.4914F) / 0.247F);
}

TEST_CASE("mean and std need one value a channel", "[data]") {
  const auto error = [](const nlohmann::json& description) {
    return error_of([&] { ImagePreparation(description, "data.json"); });
  };
  CHECK(error({{"mean", {0.5}}}).place == "data.json");
  CHECK(error({{"mean", {0.5}}}).rule == "'mean' must have one value for each channel, 3 in all");
  CHECK(error({{"color", "GRAY"}, {"std", {1, 1, 1}}}).received == "3 values");
}

TEST_CASE("the crop is centred, the offset of an odd margin is rounded down", "[data]") {
  CHECK(first_channel({{"crop", {1, 2}}}, numbered(4, 3)) == std::vector<uint8_t>{11, 12});
  // Margin 3: 1.5 becomes 1. Margin 1: 0.5 becomes 0.
  CHECK(first_channel({{"crop", {1, 1}}}, numbered(4, 2)) == std::vector<uint8_t>{1});
  CHECK(first_channel({{"crop", {3, 4}}}, numbered(4, 3)).size() == 12);
}

TEST_CASE("short_side keeps the proportions and rounds down", "[data]") {
  const nlohmann::json description = {{"resize", {{"short_side", 3}}}};
  // 5 * 3 / 2 = 7.5
  CHECK(prepared_dims(description, numbered(5, 2)) == Dims{3, 3, 7});
  CHECK(prepared_dims(description, numbered(2, 5)) == Dims{3, 7, 3});
  CHECK(prepared_dims(description, numbered(6, 6)) == Dims{3, 3, 3});
}

TEST_CASE("size gives height and width exactly", "[data]") {
  CHECK(prepared_dims({{"resize", {{"size", {3, 7}}}}}, numbered(5, 5)) == Dims{3, 3, 7});
}

TEST_CASE("resizing comes before cropping", "[data]") {
  const nlohmann::json description = {{"resize", {{"size", {2, 4}}, {"interpolation", "nearest"}}},
                                      {"crop", {1, 2}}};
  // Doubled columns 0 0 1 1, rows 0 and 1; the crop takes the middle of row 0.
  CHECK(first_channel(description, numbered(2, 2)) == std::vector<uint8_t>{0, 1});
}

TEST_CASE("an enlargement beyond the pixel limit is refused", "[data]") {
  const ImagePreparation preparation({{"resize", {{"short_side", 60000}}}}, "");
  const auto error = error_of([&] { preparation.pixels(numbered(2, 1), "sample 3"); });
  CHECK(error.place == "sample 3");
  CHECK(error.rule == "an image must have 1 to 268435456 pixels");
}
