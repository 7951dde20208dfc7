#include "lib/data/image.h"

#include "lib/base/error.h"

namespace limbeck {
namespace {

constexpr size_t kMaxPixels = size_t{1} << 28U;

}  // namespace

void check_image_size(size_t width, size_t height, const std::string& place) {
  if (width != 0 && height != 0 && width <= kMaxPixels / height) return;
  throw_error(
      Category::kData, place, "an image must have 1 to " + std::to_string(kMaxPixels) + " pixels",
      std::to_string(width) + " by " + std::to_string(height), "remove or shrink the image");
}

Image allocate_image(size_t width, size_t height, size_t channels, const std::string& place) {
  check_image_size(width, height, place);
  return {width, height, channels, std::vector<uint8_t>(width * height * channels)};
}

Image decode_image(std::string_view bytes, const std::string& place) {
  if (bytes.starts_with("\xff\xd8\xff")) return decode_jpeg(bytes, place);
  if (bytes.starts_with("\x89PNG\r\n\x1a\n")) return decode_png(bytes, place);
  throw_error(Category::kData, place, "an image must be a JPEG or PNG file",
              bytes.empty() ? "an empty file" : "other content",
              "convert the image, or remove it from the data set");
}

}  // namespace limbeck
