#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <cstdlib>

#include "lib/data/image.h"
#include "tests/support/data_files.h"

using namespace limbeck;
using namespace limbeck::test;

namespace {

using Pixels = std::vector<uint8_t>;

Pixels decoded(const std::string& bytes) { return decode_image(bytes, "sample").pixels; }

std::string text_of(const Pixels& pixels) { return {pixels.begin(), pixels.end()}; }

/// Sixteen by sixteen pixels of one colour; flat areas survive JPEG almost unchanged.
std::string flat(const Pixels& colour) {
  std::string pixels;
  for (int i = 0; i < 256; ++i) pixels += text_of(colour);
  return pixels;
}

int largest_difference(const Pixels& pixels, const Pixels& colour) {
  int largest = 0;
  for (size_t i = 0; i < pixels.size(); ++i)
    largest = std::max(largest, std::abs(pixels[i] - colour[i % colour.size()]));
  return largest;
}

ErrorInfo decode_error(const std::string& bytes) {
  return error_of([&] { decode_image(bytes, "sample 7"); });
}

}  // namespace

TEST_CASE("a grayscale JPEG becomes three equal channels", "[data]") {
  const auto image = decode_image(jpeg_bytes(16, 16, 1, flat({77})), "sample");
  CHECK(image.width == 16);
  CHECK(image.height == 16);
  CHECK(image.channels == 3);
  CHECK(largest_difference(image.pixels, {77, 77, 77}) == 0);
}

TEST_CASE("an RGB JPEG keeps its channel order, baseline and progressive", "[data]") {
  const bool progressive = GENERATE(false, true);
  const bool subsampled = GENERATE(false, true);
  const auto bytes = jpeg_bytes(16, 16, 3, flat({200, 100, 30}), {100, progressive, subsampled});
  CHECK(largest_difference(decoded(bytes), {200, 100, 30}) <= 1);
}

TEST_CASE("a progressive JPEG decodes to the pixels of its baseline twin", "[data]") {
  std::string pixels;
  for (int i = 0; i < 24 * 24 * 3; ++i) pixels += static_cast<char>(i * 37 % 251);
  CHECK(decoded(jpeg_bytes(24, 24, 3, pixels, {90, true, false})) ==
        decoded(jpeg_bytes(24, 24, 3, pixels, {90, false, false})));
}

TEST_CASE("an inverted CMYK JPEG becomes RGB", "[data]") {
  // Stored 255 - ink: light left of cyan 200, magenta 100, yellow 50, black 204 (80 %).
  const auto bytes = jpeg_bytes(16, 16, 4, flat({200, 100, 50, 204}), {100, false, false});
  CHECK(largest_difference(decoded(bytes), {160, 80, 40}) <= 1);
}

TEST_CASE("gray PNGs of 1, 2, 4, 8 and 16 bits spread over the whole range", "[data]") {
  const auto gray = [](int depth, const std::string& row) {
    return decoded(png_bytes(2, 1, row, {.bit_depth = depth, .channels = 1, .palette = {}}));
  };
  CHECK(gray(1, "\x40") == Pixels{0, 0, 0, 255, 255, 255});
  CHECK(gray(2, "\x60") == Pixels{85, 85, 85, 170, 170, 170});
  CHECK(gray(4, "\x1F") == Pixels{17, 17, 17, 255, 255, 255});
  CHECK(gray(8, "\x01\x80") == Pixels{1, 1, 1, 128, 128, 128});
  CHECK(gray(16, {"\x12\xFF\x80\x00", 4}) == Pixels{0x12, 0x12, 0x12, 0x80, 0x80, 0x80});
}

TEST_CASE("RGB, RGBA and gray-alpha PNGs lose nothing but transparency", "[data]") {
  CHECK(decoded(png_bytes(1, 2, "\1\2\3\4\5\6", {.palette = {}})) == Pixels{1, 2, 3, 4, 5, 6});
  CHECK(decoded(png_bytes(2, 1, {"\1\2\3\0\4\5\6\xFF", 8}, {.channels = 4, .palette = {}})) ==
        Pixels{1, 2, 3, 4, 5, 6});
  CHECK(decoded(png_bytes(1, 1, {"\x09\0", 2}, {.channels = 2, .palette = {}})) == Pixels{9, 9, 9});
  CHECK(decoded(png_bytes(1, 1, "\1\2\3\4\5\6", {.bit_depth = 16, .palette = {}})) ==
        Pixels{1, 3, 5});
}

TEST_CASE("palette PNGs give the colours of their entries", "[data]") {
  const Pixels palette = {10, 20, 30, 40, 50, 60, 70, 80, 90};
  CHECK(decoded(png_bytes(2, 1, {"\2\0", 2}, {.channels = 1, .palette = palette})) ==
        Pixels{70, 80, 90, 10, 20, 30});
  CHECK(decoded(png_bytes(4, 1, "\x18", {.bit_depth = 2, .channels = 1, .palette = palette})) ==
        Pixels{10, 20, 30, 40, 50, 60, 70, 80, 90, 10, 20, 30});
}

TEST_CASE("an interlaced PNG decodes to the pixels of its plain twin", "[data]") {
  std::string rows;
  for (int i = 0; i < 11 * 9 * 3; ++i) rows += static_cast<char>(i);
  const Pixels wanted(rows.begin(), rows.end());
  CHECK(decoded(png_bytes(11, 9, rows, {.interlaced = true, .palette = {}})) == wanted);
  CHECK(decoded(png_bytes(11, 9, rows, {.palette = {}})) == wanted);
}

TEST_CASE("truncated images are refused, not filled with gray", "[data]") {
  std::string pixels;
  for (int i = 0; i < 32 * 32 * 3; ++i) pixels += static_cast<char>(i * 41 % 239);
  const auto jpeg = jpeg_bytes(32, 32, 3, pixels);
  const auto png = png_bytes(32, 32, pixels, {.palette = {}});
  for (size_t size = 1; size < jpeg.size() - 16; size += 13)
    CHECK(decode_error(jpeg.substr(0, size)).category == Category::kData);
  for (size_t size = 1; size < png.size(); size += 13)
    CHECK(decode_error(png.substr(0, size)).category == Category::kData);
  const auto error = decode_error(jpeg.substr(0, jpeg.size() / 2));
  CHECK(error.place == "sample 7");
  CHECK(error.rule == "the image must be a whole JPEG file");
  CHECK(error.received == "Premature end of JPEG file");
  CHECK(decode_error(png.substr(0, png.size() / 2)).received == "the file ends early");
}

TEST_CASE("a PNG with a wrong checksum is refused", "[data]") {
  auto png = flat_png(4, 4, 1, 2, 3);
  png[png.size() - 20] = static_cast<char>(png[png.size() - 20] ^ 1);
  CHECK(decode_error(png).rule == "the image must be a whole PNG file");
}

TEST_CASE("an image that claims billions of pixels is refused before memory is taken", "[data]") {
  auto jpeg = jpeg_bytes(16, 16, 1, flat({1}));
  const size_t frame = jpeg.find("\xFF\xC0");
  REQUIRE(frame != std::string::npos);
  // Behind marker, length and precision: height and width.
  for (const size_t i : {5U, 7U}) jpeg[frame + i] = '\x7F';
  const auto error = decode_error(jpeg);
  CHECK(error.rule == "an image must have 1 to 268435456 pixels");
  CHECK(error.received == "32528 by 32528");
}

TEST_CASE("content decides the format, not the name, and other formats are refused", "[data]") {
  CHECK(decode_error("GIF89a").rule == "an image must be a JPEG or PNG file");
  CHECK(decode_error("GIF89a").received == "other content");
  CHECK(decode_error("").received == "an empty file");
  CHECK(decode_error("\xFF\xD8\xFF").rule == "the image must be a whole JPEG file");
}
