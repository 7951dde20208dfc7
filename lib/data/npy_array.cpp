#include "lib/data/npy_array.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <string_view>

#include "lib/base/error.h"
#include "lib/data/npy_header.h"

namespace limbeck {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr int64_t kLargest = int64_t{1} << 62U;

struct ElementType {
  /// NumPy's type code without the byte order.
  std::string_view code;
  DataType type;
};

constexpr std::array kElementTypes = {
    ElementType{"b1", DataType::kBool},  ElementType{"u1", DataType::kUint8},
    ElementType{"i1", DataType::kInt8},  ElementType{"u2", DataType::kUint16},
    ElementType{"i2", DataType::kInt16}, ElementType{"u4", DataType::kUint32},
    ElementType{"i4", DataType::kInt32}, ElementType{"u8", DataType::kUint64},
    ElementType{"i8", DataType::kInt64}, ElementType{"f2", DataType::kFloat16},
    ElementType{"f4", DataType::kFloat}, ElementType{"f8", DataType::kDouble},
};

/// How the elements lie in the file.
struct Storage {
  DataType type = DataType::kUndefined;
  bool swapped = false;
  bool fortran_order = false;
};

/// NumPy writes '|' where the order does not matter, that is for single bytes.
Storage storage_of(const NpyHeader& header, const std::string& place) {
  const std::string_view descr = header.descr;
  for (const ElementType& known : kElementTypes) {
    if (descr.empty() || descr.substr(1) != known.code) continue;
    const bool ordered = descr.front() == '<' || descr.front() == '>';
    const bool single = bits_per_element(known.type) == 8;
    if (!ordered && !(single && descr.front() == '|')) continue;
    const bool big = descr.front() == '>';
    const bool swapped = !single && big != (std::endian::native == std::endian::big);
    return {known.type, swapped, header.fortran_order && header.shape.size() > 1};
  }
  throw_error(
      Category::kData, place, "the elements must be bool, integers, float16, float32 or float64",
      "the type '" + header.descr + "'", "convert the array, for example with astype('float32')");
}

/// Copies column-major elements to row-major ones of `width` bytes.
void copy_row_major(const std::byte* source, const Dims& dims, size_t width, int64_t count,
                    std::byte* target) {
  std::vector<size_t> strides;
  size_t stride = width;
  for (const int64_t dim : dims) {
    strides.push_back(stride);
    stride *= static_cast<size_t>(dim);
  }
  Dims at(dims.size(), 0);
  size_t offset = 0;
  for (int64_t i = 0; i < count; ++i, target += width) {
    std::memcpy(target, source + offset, width);
    for (size_t axis = dims.size(); axis-- > 0;) {
      offset += strides[axis];
      if (++at[axis] < dims[axis]) break;
      offset -= strides[axis] * static_cast<size_t>(dims[axis]);
      at[axis] = 0;
    }
  }
}

/// A copy in C order and the machine's byte order.
Tensor native_copy(const Storage& storage, const Dims& dims, std::span<const std::byte> data) {
  Tensor result = Tensor::allocate(storage.type, dims);
  const auto width = static_cast<size_t>(bits_per_element(storage.type)) / 8;
  std::byte* target = result.mutable_raw();
  if (storage.fortran_order) {
    copy_row_major(data.data(), dims, width, result.count(), target);
  } else {
    std::copy(data.begin(), data.end(), target);
  }
  if (storage.swapped) swap_bytes({target, result.bytes()}, width);
  return result;
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
  const int version = static_cast<unsigned char>(bytes[kVersion]);
  if (version < 1 || version > 3) fail_damaged(place, "version " + std::to_string(version));
  const size_t width = version == 1 ? 2 : 4;
  size_t length = 0;
  for (size_t i = 0; i < width; ++i) {
    length |= static_cast<size_t>(static_cast<unsigned char>(bytes[8 + i])) << (8 * i);
  }
  if (length > bytes.size() - 8 - width) fail_damaged(place, "a header that ends early");
  return bytes.substr(8 + width, length);
}

}  // namespace

void swap_bytes(std::span<std::byte> bytes, size_t width) {
  for (size_t i = 0; i + width <= bytes.size(); i += width) {
    std::reverse(bytes.data() + i, bytes.data() + i + width);
  }
}

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
  const Storage storage = storage_of(header, place);
  const int64_t wanted = checked_bytes(header.shape, bits_per_element(storage.type) / 8, place);
  const auto data = bytes.subspan(static_cast<size_t>(head.data() - text.data()) + head.size());
  if (static_cast<int64_t>(data.size()) != wanted) {
    fail_damaged(place, std::to_string(data.size()) + " bytes of data where shape " +
                            dims_text(header.shape) + " needs " + std::to_string(wanted));
  }
  if (storage.swapped || storage.fortran_order) return native_copy(storage, header.shape, data);
  return Tensor::view(storage.type, header.shape, data, std::move(owner), place);
}

std::vector<int64_t> labels_from_array(const Tensor& array, const std::string& place) {
  const bool vector = array.rank() == 1 || (array.rank() == 2 && array.dim(1) == 1);
  const bool floats = array.type() == DataType::kFloat || array.type() == DataType::kDouble ||
                      array.type() == DataType::kFloat16;
  const bool integers = !floats && array.type() != DataType::kBool;
  if (!vector || !integers) {
    throw_error(Category::kData, place, "labels must be integers of shape [samples]",
                data_type_name(array.type()) + " of shape " + dims_text(array.dims()),
                "save the labels as a one-dimensional integer array");
  }
  // A mapped array may lie at any address; the copy is aligned.
  return array.clone().to_int64();
}

}  // namespace limbeck
