// Writes the files that data sets are made of, byte by byte where a test needs them to be wrong.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "lib/base/error.h"
#include "lib/data/dataset.h"
#include "tests/support/paths.h"

namespace limbeck::test {

/// The bytes of numbers as they lie in memory.
template <typename T>
std::string raw_bytes(const std::vector<T>& values) {
  return std::string(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
}

void write_file(const std::filesystem::path& path, const std::string& bytes);

/// A .npy file; `shape` is Python text such as "(2, 3)". Versions 2 and 3 have a wider length
/// field.
std::string npy_bytes(const std::string& descr, const std::string& shape, const std::string& data,
                      int version = 1, bool fortran_order = false);
/// A .npy file of version 1 with any header text.
std::string npy_with_header(const std::string& header, const std::string& data);

/// An IDX file: type code, dimensions, data as given (big-endian).
std::string idx_bytes(int type_code, const std::vector<uint32_t>& dims, const std::string& data);

std::string gzip_bytes(const std::string& content);

using Members = std::vector<std::pair<std::string, std::string>>;
/// Names that end with '/' become folders.
void write_zip(const std::filesystem::path& path, const Members& members, bool deflate = false);

struct JpegOptions {
  int quality = 95;
  bool progressive = false;
  /// Quarter-resolution colour, as cameras do it.
  bool subsampled = false;
};
/// Interleaved pixels with 1, 3 or 4 (CMYK, stored as given) channels.
std::string jpeg_bytes(int width, int height, int channels, const std::string& pixels,
                       const JpegOptions& options = {});

struct PngOptions {
  int bit_depth = 8;
  /// PNG_COLOR_TYPE_*, told by the number of channels (1 gray, 2 gray and alpha, 3 RGB, 4 RGBA).
  int channels = 3;
  bool interlaced = false;
  /// Red, green and blue of each entry; pixels are then indices.
  std::vector<uint8_t> palette;
};
/// Rows of packed samples, 16-bit ones big-endian.
std::string png_bytes(int width, int height, const std::string& rows, const PngOptions& options);

/// A one-colour PNG.
std::string flat_png(int width, int height, uint8_t red, uint8_t green, uint8_t blue);

/// Writes `description` as data.json into the folder and opens it.
std::unique_ptr<Dataset> open_described(const std::filesystem::path& folder,
                                        const nlohmann::json& description);
/// All samples in one batch.
Batch read_all(const Dataset& dataset);
/// One input of all samples as numbers.
std::vector<float> values_of(const Dataset& dataset, size_t input = 0);

/// The error that `action` raises; fails the test when there is none.
ErrorInfo error_of(const std::function<void()>& action);

}  // namespace limbeck::test
