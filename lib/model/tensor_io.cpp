#include <cstring>
#include <memory>
#include <span>
#include <utility>

#include "lib/base/error.h"
#include "lib/model/external_data.h"
#include "lib/model/model.h"

namespace limbeck {
namespace {

/// Complex numbers fill two entries of the field each.
template <typename Target, typename Field>
Tensor from_field(DataType type, const Dims& dims, const Field& field, const std::string& place) {
  const auto wanted = static_cast<size_t>(element_count(dims, place)) *
                      (static_cast<size_t>(bits_per_element(type)) / (8 * sizeof(Target)));
  if (wanted != static_cast<size_t>(field.size())) {
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

/// Values below 8 bits are packed, an int32 entry holding one byte of raw_data.
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
    case DataType::kComplex64:
    case DataType::kFloat: return from_field<float>(type, dims, proto.float_data(), place);
    case DataType::kComplex128:
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
    default: return packed_field(proto, type, dims, place);
  }
}

/// Some writers set an empty raw_data beside a typed field.
bool stored_raw(const onnx::TensorProto& proto) {
  const bool typed = proto.float_data_size() > 0 || proto.double_data_size() > 0 ||
                     proto.int32_data_size() > 0 || proto.int64_data_size() > 0 ||
                     proto.uint64_data_size() > 0;
  return proto.has_raw_data() && !(proto.raw_data().empty() && typed);
}

}  // namespace

Tensor take_tensor(onnx::TensorProto* proto, ExternalData* external, const std::string& place) {
  const Dims dims(proto->dims().begin(), proto->dims().end());
  const auto type = static_cast<DataType>(proto->data_type());
  element_count(dims, place);
  if (bits_per_element(type) == 0) {
    throw_error(Category::kUnsupported, place, "a numeric element type is needed",
                data_type_name(type),
                "remove the tensor from the part of the graph that limbeck rewrites");
  }
  if (proto->data_location() == onnx::TensorProto::EXTERNAL) return external->read(*proto, place);
  if (!stored_raw(*proto)) return typed_tensor(*proto, dims, place);
  const std::shared_ptr<const std::string> owner(proto->release_raw_data());
  return Tensor::view(type, dims, std::as_bytes(std::span(*owner)), owner, place);
}

Tensor tensor_from_proto(const onnx::TensorProto& proto, const std::filesystem::path& folder,
                         const std::string& place) {
  ExternalData external(folder);
  onnx::TensorProto copy = proto;
  return take_tensor(&copy, &external, place);
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
