// Pixels in memory and how to get them from JPEG and PNG. Internal to lib/data.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace limbeck {

/// Interleaved 8-bit pixels, rows from the top.
struct Image {
  size_t width = 0;
  size_t height = 0;
  size_t channels = 0;
  std::vector<uint8_t> pixels;

  size_t stride() const { return width * channels; }
};

/// Raises kData for more than 2^28 pixels or none.
void check_image_size(size_t width, size_t height, const std::string& place);
/// An image with storage. Raises kData as check_image_size() does.
Image allocate_image(size_t width, size_t height, size_t channels, const std::string& place);

/// Decodes a JPEG or PNG, told apart by content, to RGB. Grayscale becomes three equal channels,
/// CMYK (stored inverted, as all known writers do) becomes R = (255-C)(255-K)/255 and so on,
/// transparency is dropped, 16-bit samples keep their high byte, the EXIF orientation and colour
/// profiles are ignored. Raises kData for damaged and truncated files.
Image decode_image(std::string_view bytes, const std::string& place);
Image decode_jpeg(std::string_view bytes, const std::string& place);
Image decode_png(std::string_view bytes, const std::string& place);

}  // namespace limbeck
