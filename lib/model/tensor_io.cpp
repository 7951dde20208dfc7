#include <algorithm>
#include <cstring>
#include <map>
#include <memory>
#include <utility>

#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/model/model.h"

namespace limbeck {
namespace {

struct ExternalLocation {
  std::string file;
  int64_t offset = 0;
  int64_t length = -1;
};

int64_t parse_size(const std::string& text, const std::string& place) {
  const bool digits =
      !text.empty() && text.size() < 19 &&
      std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!digits) {
    throw_error(Category::kInvalidModel, place,
                "external data offset and length must be whole numbers", "'" + text + "'",
                "export the model again");
  }
  return std::stoll(text);
}

ExternalLocation external_location(const onnx::TensorProto& proto, const std::string& place) {
  ExternalLocation location;
  for (const auto& entry : proto.external_data()) {
    if (entry.key() == "location") location.file = entry.value();
    if (entry.key() == "offset") location.offset = parse_size(entry.value(), place);
    if (entry.key() == "length") location.length = parse_size(entry.value(), place);
  }
  return location;
}

/// The resolved path must stay inside the model's folder, symbolic links included.
std::filesystem::path resolve_inside(const std::filesystem::path& folder, const std::string& file,
                                     const std::string& place) {
  const std::filesystem::path relative(file);
  const bool climbs =
      std::any_of(relative.begin(), relative.end(), [](const auto& part) { return part == ".."; });
  if (file.empty() || relative.is_absolute() || climbs) {
    throw_error(Category::kInvalidModel, place,
                "external data must lie inside the model's folder, by a relative path",
                "'" + file + "'", "move the data file beside the model and export again");
  }
  std::error_code failure;
  const auto root = std::filesystem::canonical(folder.empty() ? "." : folder, failure);
  const auto target = std::filesystem::canonical(root / relative, failure);
  if (failure) {
    throw_error(Category::kIo, place, "the external data file must exist beside the model",
                "'" + file + "'", "copy the data file into the model's folder");
  }
  const auto mismatch = std::mismatch(root.begin(), root.end(), target.begin(), target.end());
  if (mismatch.first != root.end()) {
    throw_error(Category::kInvalidModel, place, "external data must lie inside the model's folder",
                "'" + file + "', a link that leaves it", "replace the link by the file");
  }
  return target;
}

Tensor external_tensor(const onnx::TensorProto& proto, const Dims& dims,
                       const std::filesystem::path& folder, const std::string& place) {
  const ExternalLocation location = external_location(proto, place);
  const auto mapping = MappedFile::open(resolve_inside(folder, location.file, place));
  const auto size = static_cast<int64_t>(mapping->bytes().size());
  const int64_t length = location.length < 0 ? size - location.offset : location.length;
  if (location.offset > size || length < 0 || length > size - location.offset) {
    throw_error(Category::kInvalidModel, place,
                "external data must lie inside its file of " + std::to_string(size) + " bytes",
                "offset " + std::to_string(location.offset) + ", length " + std::to_string(length),
                "copy the data file again; it is truncated");
  }
  const auto bytes =
      mapping->bytes().subspan(static_cast<size_t>(location.offset), static_cast<size_t>(length));
  return Tensor::view(static_cast<DataType>(proto.data_type()), dims, bytes, mapping, place);
}

template <typename Target, typename Field>
Tensor from_field(DataType type, const Dims& dims, const Field& field, const std::string& place) {
  const int64_t count = element_count(dims, place);
  if (count != field.size()) {
    throw_error(Category::kInvalidModel, place,
                "the number of stored values must match the dimensions " + dims_text(dims),
                std::to_string(field.size()) + " values", "export the model again");
  }
  Tensor tensor = Tensor::allocate(type, dims);
  auto* target = tensor.mutable_raw();
  for (int i = 0; i < field.size(); ++i) {
    const auto value = static_cast<Target>(field.Get(i));
    std::memcpy(target + static_cast<size_t>(i) * sizeof(Target), &value, sizeof(Target));
  }
  return tensor;
}

/// 4-bit values are packed two to an int32 entry, as they are in raw_data.
Tensor packed_field(const onnx::TensorProto& proto, DataType type, const Dims& dims,
                    const std::string& place) {
  const auto count = static_cast<size_t>(element_count(dims, place));
  const size_t bytes = storage_bytes(type, count);
  if (static_cast<size_t>(proto.int32_data_size()) != bytes) {
    throw_error(Category::kInvalidModel, place,
                "packed values must fill " + std::to_string(bytes) + " entries",
                std::to_string(proto.int32_data_size()), "export the model again");
  }
  Tensor tensor = Tensor::allocate(type, dims);
  for (size_t i = 0; i < bytes; ++i) {
    tensor.mutable_raw()[i] = static_cast<std::byte>(proto.int32_data(static_cast<int>(i)) & 0xFF);
  }
  return tensor;
}

Tensor typed_tensor(const onnx::TensorProto& proto, const Dims& dims, const std::string& place) {
  const auto type = static_cast<DataType>(proto.data_type());
  switch (type) {
    case DataType::kFloat: return from_field<float>(type, dims, proto.float_data(), place);
    case DataType::kDouble: return from_field<double>(type, dims, proto.double_data(), place);
    case DataType::kInt64: return from_field<int64_t>(type, dims, proto.int64_data(), place);
    case DataType::kUint32: return from_field<uint32_t>(type, dims, proto.uint64_data(), place);
    case DataType::kUint64: return from_field<uint64_t>(type, dims, proto.uint64_data(), place);
    default: break;
  }
  switch (bits_per_element(type)) {
    case 8: return from_field<uint8_t>(type, dims, proto.int32_data(), place);
    case 16: return from_field<uint16_t>(type, dims, proto.int32_data(), place);
    case 32: return from_field<int32_t>(type, dims, proto.int32_data(), place);
    case 2:
    case 4: return packed_field(proto, type, dims, place);
    default:
      throw_error(Category::kUnsupported, place, "a numeric element type is needed",
                  data_type_name(type),
                  "remove the tensor from the part of the graph that limbeck rewrites");
  }
}

}  // namespace

Tensor tensor_from_proto(const onnx::TensorProto& proto, const std::filesystem::path& folder,
                         const std::string& place) {
  const Dims dims(proto.dims().begin(), proto.dims().end());
  const auto type = static_cast<DataType>(proto.data_type());
  element_count(dims, place);
  if (proto.data_location() == onnx::TensorProto::EXTERNAL)
    return external_tensor(proto, dims, folder, place);
  if (!proto.has_raw_data()) return typed_tensor(proto, dims, place);
  const auto owner = std::make_shared<const std::string>(proto.raw_data());
  return Tensor::view(type, dims, std::as_bytes(std::span(*owner)), owner, place);
}

onnx::TensorProto tensor_to_proto(const Tensor& tensor, const std::string& name) {
  onnx::TensorProto proto;
  proto.set_name(name);
  proto.set_data_type(static_cast<int32_t>(tensor.type()));
  for (const int64_t dim : tensor.dims()) proto.add_dims(dim);
  proto.set_raw_data(reinterpret_cast<const char*>(tensor.raw()), tensor.bytes());
  return proto;
}

}  // namespace limbeck
