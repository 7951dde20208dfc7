#include "lib/data/idx_file.h"

#include <array>
#include <bit>
#include <string>

#include "lib/base/error.h"
#include "lib/data/gzip.h"
#include "lib/data/npy_array.h"

namespace limbeck {
namespace {

/// Magic number and 255 dimensions.
constexpr size_t kLongestHeader = 4 + 4 * 255;

struct IdxType {
  uint8_t code;
  DataType type;
};

constexpr std::array kIdxTypes = {
    IdxType{0x08, DataType::kUint8}, IdxType{0x09, DataType::kInt8},
    IdxType{0x0B, DataType::kInt16}, IdxType{0x0C, DataType::kInt32},
    IdxType{0x0D, DataType::kFloat}, IdxType{0x0E, DataType::kDouble},
};

[[noreturn]] void fail(const std::string& place, const std::string& received) {
  throw_error(Category::kData, place, "the file must be a whole IDX array", received,
              "download or copy the file again");
}

DataType idx_type(const std::string& bytes, const std::string& place) {
  if (bytes.size() < 4 || bytes[0] != 0 || bytes[1] != 0) fail(place, "another magic number");
  const auto code = static_cast<uint8_t>(bytes[2]);
  for (const IdxType& known : kIdxTypes) {
    if (known.code == code) return known.type;
  }
  fail(place, "the unknown type code " + std::to_string(code));
}

Dims idx_dims(const std::string& bytes, const std::string& place) {
  const auto rank = static_cast<size_t>(static_cast<unsigned char>(bytes[3]));
  if (rank == 0 || bytes.size() < 4 + 4 * rank) fail(place, "a header that ends early");
  Dims dims;
  for (size_t i = 0; i < rank; ++i) {
    uint32_t dim = 0;
    for (size_t k = 0; k < 4; ++k) {
      dim = dim << 8U | static_cast<unsigned char>(bytes[4 + 4 * i + k]);
    }
    dims.push_back(dim);
  }
  return dims;
}

}  // namespace

Tensor read_idx(const std::filesystem::path& path) {
  const std::string place = path.string();
  const std::string head = read_plain_or_gzip(path, kLongestHeader);
  const DataType type = idx_type(head, place);
  const Dims dims = idx_dims(head, place);
  const auto width = static_cast<size_t>(bits_per_element(type)) / 8;
  const auto wanted = static_cast<size_t>(checked_bytes(dims, static_cast<int64_t>(width), place));
  const size_t start = 4 + 4 * dims.size();
  // One byte more than the header announces is enough to see that there is too much.
  const auto bytes = std::make_shared<std::string>(read_plain_or_gzip(path, start + wanted + 1));
  if (bytes->size() - start != wanted) {
    const bool less = bytes->size() - start < wanted;
    fail(place, (less ? std::to_string(bytes->size() - start) + " bytes" : "more bytes") +
                    " of data where shape " + dims_text(dims) + " needs " + std::to_string(wanted));
  }
  const auto data = std::as_writable_bytes(std::span(*bytes)).subspan(start);
  // IDX is big-endian.
  if (width > 1 && std::endian::native == std::endian::little) swap_bytes(data, width);
  return Tensor::view(type, dims, data, bytes, place);
}

}  // namespace limbeck
