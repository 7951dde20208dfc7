#include "lib/evaluate/npz_writer.h"

#include <zlib.h>

#include <limits>

#include "lib/base/error.h"

namespace limbeck {
namespace {

constexpr uint32_t kLocalHeader = 0x04034b50;
constexpr uint32_t kCentralHeader = 0x02014b50;
constexpr uint32_t kEndOfDirectory = 0x06054b50;
constexpr uint16_t kVersion = 20;
constexpr uint16_t kUtf8Names = 0x0800;
constexpr uint16_t kFirstDay = 0x0021;  // 1980-01-01: the oldest date that ZIP can store
constexpr size_t kNpyPreamble = 10;     // magic, version, header length
constexpr size_t kNpyAlignment = 64;

void put16(std::string* out, uint16_t value) {
  out->push_back(static_cast<char>(value & 0xFFU));
  out->push_back(static_cast<char>(value >> 8U));
}

void put32(std::string* out, uint32_t value) {
  put16(out, static_cast<uint16_t>(value & 0xFFFFU));
  put16(out, static_cast<uint16_t>(value >> 16U));
}

/// NumPy's type code; empty for types that it lacks.
std::string type_code(DataType type) {
  switch (type) {
    case DataType::kFloat: return "<f4";
    case DataType::kDouble: return "<f8";
    case DataType::kFloat16: return "<f2";
    case DataType::kUint8: return "|u1";
    case DataType::kInt8: return "|i1";
    case DataType::kUint16: return "<u2";
    case DataType::kInt16: return "<i2";
    case DataType::kUint32: return "<u4";
    case DataType::kInt32: return "<i4";
    case DataType::kUint64: return "<u8";
    case DataType::kInt64: return "<i8";
    case DataType::kBool: return "|b1";
    default: return "";
  }
}

std::string npy_header(const std::string& code, const Dims& dims) {
  std::string shape;
  for (const int64_t dim : dims) shape += std::to_string(dim) + ",";
  std::string text =
      "{'descr': '" + code + "', 'fortran_order': False, 'shape': (" + shape + "), }";
  while ((kNpyPreamble + text.size() + 1) % kNpyAlignment != 0) text += ' ';
  text += '\n';
  std::string header = "\x93NUMPY";
  header += '\x01';
  header += '\0';
  put16(&header, static_cast<uint16_t>(text.size()));
  return header + text;
}

std::string npy_bytes(const Tensor& tensor) {
  const std::string code = type_code(tensor.type());
  if (code.empty()) return npy_bytes(Tensor::from<float>(tensor.dims(), tensor.to_float()));
  std::string bytes = npy_header(code, tensor.dims());
  bytes.append(reinterpret_cast<const char*>(tensor.raw()), tensor.bytes());
  return bytes;
}

/// The fields that the local and the central header of a member share.
std::string member_fields(const std::string& name, const std::string& content) {
  const auto size = static_cast<uint32_t>(content.size());
  const uLong checksum =
      crc32(0, reinterpret_cast<const Bytef*>(content.data()), static_cast<uInt>(content.size()));
  std::string fields;
  put16(&fields, kVersion);
  put16(&fields, kUtf8Names);
  put16(&fields, 0);  // stored
  put16(&fields, 0);  // midnight
  put16(&fields, kFirstDay);
  put32(&fields, static_cast<uint32_t>(checksum));
  put32(&fields, size);
  put32(&fields, size);
  put16(&fields, static_cast<uint16_t>(name.size()));
  put16(&fields, 0);  // no extra field
  return fields;
}

void check_size(size_t bytes, const std::string& name) {
  if (bytes < std::numeric_limits<uint32_t>::max()) return;
  throw_error(Category::kUnsupported, "metric command, array '" + name + "'",
              "a batch of outputs must stay below 4 GiB", std::to_string(bytes) + " bytes",
              "evaluate a model with smaller outputs");
}

}  // namespace

std::string npz_bytes(const std::vector<std::pair<std::string, Tensor>>& arrays) {
  std::string archive;
  std::string directory;
  for (const auto& [key, tensor] : arrays) {
    const std::string name = key + ".npy";
    const std::string content = npy_bytes(tensor);
    check_size(archive.size() + content.size(), key);
    const std::string fields = member_fields(name, content);
    put32(&directory, kCentralHeader);
    put16(&directory, kVersion);
    directory += fields;
    directory.append(10, '\0');  // no comment, first disk, no attributes
    put32(&directory, static_cast<uint32_t>(archive.size()));
    directory += name;
    put32(&archive, kLocalHeader);
    archive += fields + name + content;
  }
  const auto start = static_cast<uint32_t>(archive.size());
  archive += directory;
  put32(&archive, kEndOfDirectory);
  put32(&archive, 0);  // one disk
  put16(&archive, static_cast<uint16_t>(arrays.size()));
  put16(&archive, static_cast<uint16_t>(arrays.size()));
  put32(&archive, static_cast<uint32_t>(directory.size()));
  put32(&archive, start);
  put16(&archive, 0);  // no comment
  return archive;
}

}  // namespace limbeck
