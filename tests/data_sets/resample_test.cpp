#include "lib/data/resample.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <cmath>

#include "lib/base/file.h"
#include "tests/support/data_files.h"

using namespace limbeck;
using namespace limbeck::test;

namespace {

std::vector<uint8_t> resized_row(const std::vector<uint8_t>& row, size_t width,
                                 Interpolation interpolation) {
  const Image image{row.size(), 1, 1, row};
  return resize_image(image, width, 1, interpolation, "row").pixels;
}

std::vector<uint8_t> resized_column(const std::vector<uint8_t>& column, size_t height,
                                    Interpolation interpolation) {
  const Image image{1, column.size(), 1, column};
  return resize_image(image, 1, height, interpolation, "column").pixels;
}

/// 13 by 9 pixels, byte i is 37 i modulo 251.
Image pattern(size_t channels) {
  Image image{13, 9, channels, {}};
  for (size_t i = 0; i < 13 * 9; ++i) {
    for (size_t c = 0; c < channels; ++c)
      image.pixels.push_back(static_cast<uint8_t>((3 * i + c) * 37 % 251));
  }
  return image;
}

std::string digest(const std::vector<uint8_t>& bytes) {
  return sha256(std::as_bytes(std::span(bytes))).substr(0, 16);
}

struct Golden {
  Interpolation interpolation;
  size_t width;
  size_t height;
  /// Start of the SHA-256 of the RGB and of the gray pixels.
  std::string rgb;
  std::string gray;
};

/// What Pillow 12.0 makes of pattern(3) and of its first channel (tests/data/README.md).
const std::vector<Golden>& golden() {
  static const std::vector<Golden> all = {
      {Interpolation::kNearest, 5, 4, "ed3c5789943f1a2b", "519142b6eb811187"},
      {Interpolation::kNearest, 26, 18, "88890a9d29436eae", "033e4fc0b419ec51"},
      {Interpolation::kNearest, 13, 4, "52d4da664490127b", "3c7eb9bcc7118894"},
      {Interpolation::kNearest, 7, 9, "df687a60b7451df5", "d117cfb8f68e641a"},
      {Interpolation::kNearest, 1, 1, "abe8678bf667ff50", "6d90fbacc073ee0b"},
      {Interpolation::kNearest, 40, 3, "ea2f1f66255bc86a", "19b1164592f512aa"},
      {Interpolation::kBilinear, 5, 4, "fb693c47f937ae41", "2551428cfb2bafaa"},
      {Interpolation::kBilinear, 26, 18, "14a19fe3fe06fced", "3fb9d3f658481e81"},
      {Interpolation::kBilinear, 13, 4, "233ed3d7299ac6d2", "e33cbdf98017da3a"},
      {Interpolation::kBilinear, 7, 9, "a12ca078fbcc7176", "9e9a9e7ef7ab41b0"},
      {Interpolation::kBilinear, 1, 1, "53711bbc5a96eea1", "7ace431cb61584cb"},
      {Interpolation::kBilinear, 40, 3, "3f99fdfe24baf763", "a6d42805e53a3eb0"},
      {Interpolation::kBicubic, 5, 4, "d2403d20ba0fff1f", "efac0136d1b5fa5a"},
      {Interpolation::kBicubic, 26, 18, "53b7b3e4c9031ecf", "3f65e77e104732de"},
      {Interpolation::kBicubic, 13, 4, "d1fd47040d37f6cc", "9b7496efc688d77c"},
      {Interpolation::kBicubic, 7, 9, "8fb8bec249e029c3", "17ba262b118f6129"},
      {Interpolation::kBicubic, 1, 1, "53711bbc5a96eea1", "7ace431cb61584cb"},
      {Interpolation::kBicubic, 40, 3, "253b5cd60ad47cf2", "130c22c5ac84f597"},
  };
  return all;
}

struct RealGolden {
  std::string interpolation;
  int short_side;
  int crop;
  std::string digest;
};

/// The same for the first eight pictures of imagenet/calib.zip, planes of RGB.
const std::vector<RealGolden>& real_golden() {
  static const std::vector<RealGolden> all = {
      {"bicubic", 256, 224, "8c2483cbc1f7c0b0"},
      {"bicubic", 146, 128, "5a41934cc9a74ac0"},
      {"bilinear", 300, 299, "fbb05459af4b8fda"},
      {"nearest", 64, 64, "134f21dbaa926f36"},
  };
  return all;
}

}  // namespace

TEST_CASE("bilinear reduction weighs by a triangle as wide as the reduction", "[data]") {
  // Four to two: weights 3 3 1 and 1 3 3 over 7.
  // (3 * 0 + 3 * 70 + 140) / 7 = 50 and (70 + 3 * 140 + 3 * 210) / 7 = 160
  const std::vector<uint8_t> wanted = {50, 160};
  CHECK(resized_row({0, 70, 140, 210}, 2, Interpolation::kBilinear) == wanted);
  CHECK(resized_column({0, 70, 140, 210}, 2, Interpolation::kBilinear) == wanted);
}

TEST_CASE("bilinear enlargement interpolates between pixel centres", "[data]") {
  // Centres at 0.25, 0.75, 1.25, 1.75 of pixels centred at 0.5 and 1.5.
  CHECK(resized_row({0, 100}, 4, Interpolation::kBilinear) == std::vector<uint8_t>{0, 25, 75, 100});
}

TEST_CASE("bicubic enlargement overshoots and is clamped to bytes", "[data]") {
  // At 1.25 of four pixels, distances 1.25 0.25 0.75 and 1.75 (out of reach of none) weigh
  // -0.0703125 0.8671875 0.2265625 -0.0234375.
  const std::vector<uint8_t> row = {0, 0, 255, 255};
  const auto values = resized_row(row, 8, Interpolation::kBicubic);
  CHECK(values[3] == static_cast<uint8_t>(std::lround(255 * (0.2265625 - 0.0234375))));
  CHECK(values[2] == 0);
  CHECK(values[5] == 255);
}

TEST_CASE("nearest picks the pixel under the centre", "[data]") {
  CHECK(resized_row({1, 2, 3, 4, 5}, 2, Interpolation::kNearest) == std::vector<uint8_t>{2, 4});
  CHECK(resized_column({1, 2}, 4, Interpolation::kNearest) == std::vector<uint8_t>{1, 1, 2, 2});
}

TEST_CASE("a constant image stays constant under every filter", "[data]") {
  const auto filter =
      GENERATE(Interpolation::kNearest, Interpolation::kBilinear, Interpolation::kBicubic);
  const Image flat{7, 5, 3, std::vector<uint8_t>(7 * 5 * 3, 200)};
  for (const size_t size : {1U, 3U, 5U, 7U, 20U}) {
    const auto pixels = resize_image(flat, size, size, filter, "flat").pixels;
    CHECK(pixels == std::vector<uint8_t>(size * size * 3, 200));
  }
}

TEST_CASE("resizing to the same size changes nothing", "[data]") {
  const auto filter =
      GENERATE(Interpolation::kNearest, Interpolation::kBilinear, Interpolation::kBicubic);
  CHECK(resize_image(pattern(3), 13, 9, filter, "same").pixels == pattern(3).pixels);
}

TEST_CASE("resized patterns equal Pillow's to the bit", "[data]") {
  Image gray = pattern(3);
  for (size_t i = 0; i < 13 * 9; ++i) gray.pixels[i] = gray.pixels[3 * i];
  gray.pixels.resize(13 * 9);
  gray.channels = 1;
  for (const Golden& wanted : golden()) {
    INFO(wanted.width << " by " << wanted.height << ", filter "
                      << static_cast<int>(wanted.interpolation));
    const auto resize = [&](const Image& image) {
      return digest(
          resize_image(image, wanted.width, wanted.height, wanted.interpolation, "x").pixels);
    };
    CHECK(resize(pattern(3)) == wanted.rgb);
    CHECK(resize(gray) == wanted.gray);
  }
}

TEST_CASE("a region holds the pixels that the whole result has there", "[data]") {
  const auto filter =
      GENERATE(Interpolation::kNearest, Interpolation::kBilinear, Interpolation::kBicubic);
  const auto [width, height] =
      GENERATE(table<size_t, size_t>({{5, 4}, {26, 18}, {13, 6}, {7, 9}, {13, 9}}));
  const Image whole = resize_image(pattern(3), width, height, filter, "x");
  const Region region = {2, 1, width - 3, height - 2};
  const Image part = resize_image(pattern(3), width, height, region, filter, "x");
  REQUIRE(part.width == region.width);
  REQUIRE(part.height == region.height);
  for (size_t y = 0; y < region.height; ++y) {
    const auto row = whole.pixels.begin() + static_cast<long>((y + 1) * whole.stride() + 6);
    CHECK(std::equal(row, row + static_cast<long>(part.stride()),
                     part.pixels.begin() + static_cast<long>(y * part.stride())));
  }
}

TEST_CASE("real pictures are decoded, resized and cropped as by Pillow to the bit", "[data]") {
  const auto pictures = large_data("imagenet/calib.zip");
  if (!pictures) return;
  const TemporaryFolder folder;
  for (const RealGolden& wanted : real_golden()) {
    const auto data = open_described(
        folder.path(),
        {{"version", 1},
         {"kind", "images"},
         {"path", pictures->string()},
         {"resize", {{"short_side", wanted.short_side}, {"interpolation", wanted.interpolation}}},
         {"crop", {wanted.crop, wanted.crop}}});
    std::vector<uint8_t> pixels;
    for (const float value : data->read(sample_order(data->size(), 8, 0)).inputs[0].to_float())
      pixels.push_back(static_cast<uint8_t>(std::lround(value * 255)));
    INFO(wanted.interpolation << " " << wanted.short_side);
    CHECK(digest(pixels) == wanted.digest);
  }
}
