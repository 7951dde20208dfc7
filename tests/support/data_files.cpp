#include "tests/support/data_files.h"

#include <png.h>
#include <unistd.h>
#include <zip.h>
#include <zlib.h>

#include <catch2/catch_test_macros.hpp>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <numeric>

// jpeglib.h needs size_t and FILE to be declared before it.
#include <jpeglib.h>

namespace limbeck::test {
namespace {

std::string little_endian(size_t value, size_t width) {
  std::string bytes;
  for (size_t i = 0; i < width; ++i) bytes += static_cast<char>(value >> (8 * i) & 0xFFU);
  return bytes;
}

std::string npy(int version, const std::string& header, const std::string& data) {
  return std::string("\x93NUMPY") + static_cast<char>(version) + '\0' +
         little_endian(header.size(), version == 1 ? 2 : 4) + header + data;
}

unsigned char* bytes_of(const std::string& text) {
  return reinterpret_cast<unsigned char*>(const_cast<char*>(text.data()));
}

void append(png_structp png, png_bytep bytes, size_t count) {
  static_cast<std::string*>(png_get_io_ptr(png))
      ->append(reinterpret_cast<const char*>(bytes), count);
}

int png_color_type(const PngOptions& options) {
  if (!options.palette.empty()) return PNG_COLOR_TYPE_PALETTE;
  switch (options.channels) {
    case 1: return PNG_COLOR_TYPE_GRAY;
    case 2: return PNG_COLOR_TYPE_GRAY_ALPHA;
    case 4: return PNG_COLOR_TYPE_RGB_ALPHA;
    default: return PNG_COLOR_TYPE_RGB;
  }
}

}  // namespace

void write_file(const std::filesystem::path& path, const std::string& bytes) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << bytes;
}

std::string npy_bytes(const std::string& descr, const std::string& shape, const std::string& data,
                      int version, bool fortran_order) {
  const std::string header = "{'descr': '" + descr +
                             "', 'fortran_order': " + (fortran_order ? "True" : "False") +
                             ", 'shape': " + shape + ", }\n";
  return npy(version, header, data);
}

std::string npy_with_header(const std::string& header, const std::string& data) {
  return npy(1, header, data);
}

std::string idx_bytes(int type_code, const std::vector<uint32_t>& dims, const std::string& data) {
  std::string bytes = {'\0', '\0', static_cast<char>(type_code), static_cast<char>(dims.size())};
  for (const uint32_t dim : dims) {
    for (const unsigned shift : {24U, 16U, 8U, 0U})
      bytes += static_cast<char>(dim >> shift & 0xFFU);
  }
  return bytes + data;
}

std::string gzip_bytes(const std::string& content) {
  z_stream stream{};
  REQUIRE(deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string result(deflateBound(&stream, content.size()) + 32, '\0');
  stream.next_in = bytes_of(content);
  stream.avail_in = static_cast<uInt>(content.size());
  stream.next_out = bytes_of(result);
  stream.avail_out = static_cast<uInt>(result.size());
  REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  result.resize(stream.total_out);
  deflateEnd(&stream);
  return result;
}

void write_zip(const std::filesystem::path& path, const Members& members, bool deflate) {
  std::filesystem::create_directories(path.parent_path());
  zip_t* archive = zip_open(path.c_str(), ZIP_CREATE | ZIP_TRUNCATE, nullptr);
  REQUIRE(archive != nullptr);
  for (const auto& [name, content] : members) {
    if (name.ends_with('/')) {
      REQUIRE(zip_dir_add(archive, name.c_str(), 0) >= 0);
      continue;
    }
    zip_source_t* source = zip_source_buffer(archive, content.data(), content.size(), 0);
    const zip_int64_t index = zip_file_add(archive, name.c_str(), source, 0);
    REQUIRE(index >= 0);
    zip_set_file_compression(archive, static_cast<zip_uint64_t>(index),
                             deflate ? ZIP_CM_DEFLATE : ZIP_CM_STORE, 0);
  }
  REQUIRE(zip_close(archive) == 0);
}

std::string jpeg_bytes(int width, int height, int channels, const std::string& pixels,
                       const JpegOptions& options) {
  jpeg_compress_struct info;
  jpeg_error_mgr errors;
  info.err = jpeg_std_error(&errors);
  jpeg_create_compress(&info);
  unsigned char* bytes = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&info, &bytes, &size);
  info.image_width = static_cast<JDIMENSION>(width);
  info.image_height = static_cast<JDIMENSION>(height);
  info.input_components = channels;
  info.in_color_space = channels == 1 ? JCS_GRAYSCALE : channels == 3 ? JCS_RGB : JCS_CMYK;
  jpeg_set_defaults(&info);
  jpeg_set_quality(&info, options.quality, TRUE);
  if (channels == 3 && !options.subsampled) {
    info.comp_info[0].h_samp_factor = 1;
    info.comp_info[0].v_samp_factor = 1;
  }
  if (options.progressive) jpeg_simple_progression(&info);
  jpeg_start_compress(&info, TRUE);
  for (int y = 0; y < height; ++y) {
    JSAMPROW row = bytes_of(pixels) + y * width * channels;
    jpeg_write_scanlines(&info, &row, 1);
  }
  jpeg_finish_compress(&info);
  jpeg_destroy_compress(&info);
  std::string result(reinterpret_cast<const char*>(bytes), size);
  std::free(bytes);
  return result;
}

std::string png_bytes(int width, int height, const std::string& rows, const PngOptions& options) {
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  png_infop info = png_create_info_struct(png);
  std::string result;
  png_set_write_fn(png, &result, append, nullptr);
  png_set_IHDR(png, info, static_cast<png_uint_32>(width), static_cast<png_uint_32>(height),
               options.bit_depth, png_color_type(options),
               options.interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  std::vector<png_color> palette;
  for (size_t i = 0; i + 2 < options.palette.size(); i += 3)
    palette.push_back({options.palette[i], options.palette[i + 1], options.palette[i + 2]});
  if (!palette.empty()) png_set_PLTE(png, info, palette.data(), static_cast<int>(palette.size()));
  png_write_info(png, info);
  const size_t stride = rows.size() / static_cast<size_t>(height);
  std::vector<png_bytep> pointers;
  for (size_t y = 0; y < static_cast<size_t>(height); ++y)
    pointers.push_back(bytes_of(rows) + y * stride);
  png_write_image(png, pointers.data());
  png_write_end(png, nullptr);
  png_destroy_write_struct(&png, &info);
  return result;
}

std::string flat_png(int width, int height, uint8_t red, uint8_t green, uint8_t blue) {
  std::string rows;
  for (int i = 0; i < width * height; ++i) {
    for (const uint8_t value : {red, green, blue}) rows += static_cast<char>(value);
  }
  return png_bytes(width, height, rows, {});
}

std::unique_ptr<Dataset> open_described(const std::filesystem::path& folder,
                                        const nlohmann::json& description) {
  write_file(folder / "data.json", description.dump());
  return open_dataset(folder / "data.json");
}

Batch read_all(const Dataset& dataset) { return dataset.read(sample_order(dataset.size(), 0, 0)); }

std::vector<float> values_of(const Dataset& dataset, size_t input) {
  return read_all(dataset).inputs.at(input).to_float();
}

ErrorInfo error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.info();
  }
  FAIL("no error was raised");
  return {};
}

}  // namespace limbeck::test
