#include "lib/data/npy_array.h"

#include <array>
#include <cstring>
#include <string_view>

#include "lib/base/error.h"
#include "lib/data/npy_header.h"

namespace limbeck {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr int64_t kLargest = int64_t{1} << 62U;

struct ElementType {
  std::string_view descr;
  DataType type;
};

constexpr std::array kElementTypes = {
    ElementType{"<f4", DataType::kFloat}, ElementType{"<f8", DataType::kDouble},
    ElementType{"|b1", DataType::kBool},  ElementType{"|u1", DataType::kUint8},
    ElementType{"|i1", DataType::kInt8},  ElementType{"<u2", DataType::kUint16},
    ElementType{"<i2", DataType::kInt16}, ElementType{"<u4", DataType::kUint32},
    ElementType{"<i4", DataType::kInt32}, ElementType{"<u8", DataType::kUint64},
    ElementType{"<i8", DataType::kInt64},
};

DataType element_type(const std::string& descr, const std::string& place) {
  for (const ElementType& known : kElementTypes) {
    if (known.descr == descr) return known.type;
  }
  throw_error(Category::kData, place,
              "the elements must be little-endian bool, integers, float32 or float64",
              "the type '" + descr + "'", "convert the array, for example with astype('<f4')");
}

[[noreturn]] void fail_damaged(const std::string& place, const std::string& received) {
  throw_error(Category::kData, place, "the file must be a whole .npy array", received,
              "save the array again with numpy.save");
}

/// Where the header text starts and how long it is.
std::string_view header_text(std::string_view bytes, const std::string& place) {
  constexpr size_t kVersion = 6;
  if (!bytes.starts_with(kMagic)) fail_damaged(place, "another format");
  if (bytes.size() < 12) fail_damaged(place, std::to_string(bytes.size()) + " bytes");
  const size_t width = bytes[kVersion] == 1 ? 2 : 4;
  size_t length = 0;
  for (size_t i = 0; i < width; ++i) {
    length |= static_cast<size_t>(static_cast<unsigned char>(bytes[8 + i])) << (8 * i);
  }
  if (length > bytes.size() - 8 - width) fail_damaged(place, "a header that ends early");
  return bytes.substr(8 + width, length);
}

}  // namespace

int64_t checked_bytes(const Dims& dims, int64_t element_size, const std::string& place) {
  int64_t total = element_size;
  for (const int64_t dim : dims) {
    if (dim < 0 || (dim > 0 && total > kLargest / dim)) {
      throw_error(Category::kData, place, "the dimensions must describe an array that fits memory",
                  dims_text(dims), "save the array again");
    }
    total *= dim;
  }
  return total;
}

Tensor parse_npy(std::span<const std::byte> bytes, std::shared_ptr<const void> owner,
                 const std::string& place) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const std::string_view head = header_text(text, place);
  const NpyHeader header = parse_npy_header(head, place);
  const DataType type = element_type(header.descr, place);
  if (header.fortran_order) {
    throw_error(Category::kData, place, "the array must be in C order", "Fortran order",
                "save numpy.ascontiguousarray(array)");
  }
  const int64_t wanted = checked_bytes(header.shape, bits_per_element(type) / 8, place);
  const auto data = bytes.subspan(static_cast<size_t>(head.data() - text.data()) + head.size());
  if (static_cast<int64_t>(data.size()) != wanted) {
    fail_damaged(place, std::to_string(data.size()) + " bytes of data where shape " +
                            dims_text(header.shape) + " needs " + std::to_string(wanted));
  }
  return Tensor::view(type, header.shape, data, std::move(owner), place);
}

std::vector<int64_t> labels_from_array(const Tensor& array, const std::string& place) {
  const bool vector = array.rank() == 1 || (array.rank() == 2 && array.dim(1) == 1);
  const bool integers = array.type() != DataType::kFloat && array.type() != DataType::kDouble &&
                        array.type() != DataType::kBool;
  if (!vector || !integers) {
    throw_error(Category::kData, place, "labels must be integers of shape [samples]",
                data_type_name(array.type()) + " of shape " + dims_text(array.dims()),
                "save the labels as a one-dimensional integer array");
  }
  // A mapped array may lie at any address; the copy is aligned.
  return array.clone().to_int64();
}

}  // namespace limbeck
