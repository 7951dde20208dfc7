#include <png.h>

#include <algorithm>
#include <csetjmp>
#include <cstring>
#include <memory>

#include "lib/base/error.h"
#include "lib/data/image.h"

namespace limbeck {
namespace {

/// As for JPEG: errors jump out of libpng's C frames into functions without destructors.
struct PngDecoder {
  png_structp png = nullptr;
  png_infop info = nullptr;
  const char* bytes = nullptr;
  size_t left = 0;
  std::jmp_buf escape;
  char message[200] = "out of memory";
};

void on_error(png_structp png, png_const_charp text) {
  auto* decoder = static_cast<PngDecoder*>(png_get_error_ptr(png));
  std::strncpy(decoder->message, text, sizeof(decoder->message) - 1);
  std::longjmp(decoder->escape, 1);
}

/// Warnings concern metadata such as colour profiles, which are not used.
void on_warning(png_structp /*png*/, png_const_charp /*text*/) {}

void on_read(png_structp png, png_bytep target, size_t count) {
  auto* decoder = static_cast<PngDecoder*>(png_get_io_ptr(png));
  if (count > decoder->left) png_error(png, "the file ends early");
  std::memcpy(target, decoder->bytes, count);
  decoder->bytes += count;
  decoder->left -= count;
}

bool start(PngDecoder* decoder) {
  if (setjmp(decoder->escape) != 0) return false;
  decoder->png = png_create_read_struct(PNG_LIBPNG_VER_STRING, decoder, on_error, on_warning);
  if (decoder->png == nullptr) return false;
  decoder->info = png_create_info_struct(decoder->png);
  if (decoder->info == nullptr) return false;
  png_set_read_fn(decoder->png, decoder, on_read);
  png_read_info(decoder->png, decoder->info);
  png_set_expand(decoder->png);
  png_set_strip_16(decoder->png);
  png_set_gray_to_rgb(decoder->png);
  png_set_strip_alpha(decoder->png);
  png_set_interlace_handling(decoder->png);
  png_read_update_info(decoder->png, decoder->info);
  return true;
}

bool read_rows(PngDecoder* decoder, png_bytep* rows) {
  if (setjmp(decoder->escape) != 0) return false;
  png_read_image(decoder->png, rows);
  png_read_end(decoder->png, nullptr);
  return true;
}

struct PngCloser {
  void operator()(PngDecoder* decoder) const {
    png_destroy_read_struct(&decoder->png, &decoder->info, nullptr);
    delete decoder;
  }
};

[[noreturn]] void fail(const PngDecoder& decoder, const std::string& place) {
  throw_error(Category::kData, place, "the image must be a whole PNG file", decoder.message,
              "replace the image, or remove it from the data set");
}

}  // namespace

Image decode_png(std::string_view bytes, const std::string& place) {
  const std::unique_ptr<PngDecoder, PngCloser> decoder(new PngDecoder());
  decoder->bytes = bytes.data();
  decoder->left = bytes.size();
  if (!start(decoder.get())) fail(*decoder, place);
  Image image = allocate_image(png_get_image_width(decoder->png, decoder->info),
                               png_get_image_height(decoder->png, decoder->info), 3, place);
  if (png_get_rowbytes(decoder->png, decoder->info) != image.stride()) {
    throw_error(Category::kInternal, place, "a PNG must expand to 8-bit RGB", "another row size",
                "report this bug");
  }
  std::vector<png_bytep> rows(image.height);
  for (size_t y = 0; y < image.height; ++y) rows[y] = image.pixels.data() + y * image.stride();
  if (!read_rows(decoder.get(), rows.data())) fail(*decoder, place);
  return image;
}

}  // namespace limbeck
