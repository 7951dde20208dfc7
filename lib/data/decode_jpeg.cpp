#include <csetjmp>
#include <cstdio>
#include <cstring>
#include <memory>

// jpeglib.h needs size_t and FILE to be declared before it.
#include <jerror.h>
#include <jpeglib.h>

#include "lib/base/error.h"
#include "lib/data/image.h"

namespace limbeck {
namespace {

/// libjpeg reports errors by a function that must not return. Exceptions may not cross its C
/// frames, so errors jump to the functions below, which keep no objects that need destruction.
struct JpegDecoder {
  jpeg_decompress_struct info;
  jpeg_error_mgr errors;
  std::jmp_buf escape;
  char message[JMSG_LENGTH_MAX];
};

void leave(j_common_ptr info) {
  auto* decoder = static_cast<JpegDecoder*>(info->client_data);
  info->err->format_message(info, decoder->message);
  std::longjmp(decoder->escape, 1);
}

/// Warnings are tolerated as other readers do, except for the end of the file inside the picture,
/// which would fill the rest with gray.
void on_message(j_common_ptr info, int level) {
  if (level < 0 && info->err->msg_code == JWRN_JPEG_EOF) leave(info);
}

bool start(JpegDecoder* decoder, std::string_view bytes) {
  if (setjmp(decoder->escape) != 0) return false;
  jpeg_mem_src(&decoder->info, reinterpret_cast<const unsigned char*>(bytes.data()),
               static_cast<unsigned long>(bytes.size()));
  jpeg_read_header(&decoder->info, TRUE);
  return true;
}

bool read_rows(JpegDecoder* decoder, J_COLOR_SPACE space, uint8_t* pixels) {
  if (setjmp(decoder->escape) != 0) return false;
  decoder->info.out_color_space = space;
  decoder->info.dct_method = JDCT_ISLOW;
  decoder->info.do_fancy_upsampling = TRUE;
  jpeg_start_decompress(&decoder->info);
  const size_t stride =
      static_cast<size_t>(decoder->info.output_components) * decoder->info.output_width;
  while (decoder->info.output_scanline < decoder->info.output_height) {
    JSAMPROW rows[8];
    for (size_t i = 0; i < 8; ++i) {
      const size_t row = decoder->info.output_scanline + i;
      rows[i] = row < decoder->info.output_height ? pixels + row * stride : nullptr;
    }
    const JDIMENSION left = decoder->info.output_height - decoder->info.output_scanline;
    jpeg_read_scanlines(&decoder->info, rows, left < 8 ? left : 8);
  }
  return true;
}

struct JpegCloser {
  void operator()(JpegDecoder* decoder) const {
    jpeg_destroy_decompress(&decoder->info);
    delete decoder;
  }
};

using JpegHandle = std::unique_ptr<JpegDecoder, JpegCloser>;

JpegHandle create() {
  JpegHandle decoder(new JpegDecoder());
  decoder->info.err = jpeg_std_error(&decoder->errors);
  decoder->errors.error_exit = leave;
  decoder->errors.emit_message = on_message;
  jpeg_create_decompress(&decoder->info);
  decoder->info.client_data = decoder.get();
  return decoder;
}

[[noreturn]] void fail(const JpegDecoder& decoder, const std::string& place) {
  throw_error(Category::kData, place, "the image must be a whole JPEG file", decoder.message,
              "replace the image, or remove it from the data set");
}

/// a * b / 255, rounded.
uint8_t scaled(uint32_t a, uint32_t b) { return static_cast<uint8_t>((a * b + 127) / 255); }

/// The file holds 255 minus the ink, so the stored values are already what remains of the light.
Image from_inverted_cmyk(const Image& inks, const std::string& place) {
  Image image = allocate_image(inks.width, inks.height, 3, place);
  const uint8_t* source = inks.pixels.data();
  for (size_t i = 0; i < image.pixels.size(); i += 3, source += 4) {
    for (size_t c = 0; c < 3; ++c) image.pixels[i + c] = scaled(source[c], source[3]);
  }
  return image;
}

}  // namespace

Image decode_jpeg(std::string_view bytes, const std::string& place) {
  const JpegHandle decoder = create();
  if (!start(decoder.get(), bytes)) fail(*decoder, place);
  const J_COLOR_SPACE space = decoder->info.jpeg_color_space;
  const bool inks = space == JCS_CMYK || space == JCS_YCCK;
  Image image =
      allocate_image(decoder->info.image_width, decoder->info.image_height, inks ? 4 : 3, place);
  if (!read_rows(decoder.get(), inks ? JCS_CMYK : JCS_RGB, image.pixels.data()))
    fail(*decoder, place);
  return inks ? from_inverted_cmyk(image, place) : image;
}

}  // namespace limbeck
