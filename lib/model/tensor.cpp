#include "lib/model/tensor.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>

#include "lib/base/error.h"

namespace limbeck {
namespace {

constexpr size_t kAlignment = 64;
constexpr int64_t kMaxElements = int64_t{1} << 56;

/// What typed access to elements needs; packed types are read byte by byte.
size_t element_alignment(DataType type) {
  return std::clamp<size_t>(static_cast<size_t>(bits_per_element(type)) / 8, 1, alignof(double));
}

float half_to_float(uint16_t half) {
  const uint32_t sign = static_cast<uint32_t>(half & 0x8000U) << 16;
  uint32_t exponent = (half >> 10) & 0x1FU;
  uint32_t mantissa = half & 0x3FFU;
  uint32_t bits = 0;
  if (exponent == 0x1F) {
    bits = sign | 0x7F800000U | (mantissa << 13);
  } else if (exponent != 0) {
    bits = sign | ((exponent + 112) << 23) | (mantissa << 13);
  } else if (mantissa != 0) {
    exponent = 113;
    while ((mantissa & 0x400U) == 0) {
      mantissa <<= 1;
      --exponent;
    }
    bits = sign | (exponent << 23) | ((mantissa & 0x3FFU) << 13);
  } else {
    bits = sign;
  }
  float value = 0;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}

int nibble_at(const std::byte* data, int64_t index, bool is_signed) {
  const int byte = std::to_integer<int>(data[index / 2]);
  const int value = index % 2 == 0 ? byte & 0xF : byte >> 4;
  return is_signed && value > 7 ? value - 16 : value;
}

template <typename Out, typename In>
std::vector<Out> convert(const std::byte* data, int64_t count) {
  std::vector<Out> result(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) {
    In value;
    std::memcpy(&value, data + i * static_cast<int64_t>(sizeof(In)), sizeof(In));
    result[static_cast<size_t>(i)] = static_cast<Out>(value);
  }
  return result;
}

template <typename Out>
std::vector<Out> convert_tensor(const Tensor& tensor) {
  const std::byte* data = tensor.raw();
  const int64_t n = tensor.count();
  switch (tensor.type()) {
    case DataType::kFloat: return convert<Out, float>(data, n);
    case DataType::kDouble: return convert<Out, double>(data, n);
    case DataType::kUint8:
    case DataType::kBool: return convert<Out, uint8_t>(data, n);
    case DataType::kInt8: return convert<Out, int8_t>(data, n);
    case DataType::kUint16: return convert<Out, uint16_t>(data, n);
    case DataType::kInt16: return convert<Out, int16_t>(data, n);
    case DataType::kInt32: return convert<Out, int32_t>(data, n);
    case DataType::kInt64: return convert<Out, int64_t>(data, n);
    case DataType::kUint32: return convert<Out, uint32_t>(data, n);
    case DataType::kUint64: return convert<Out, uint64_t>(data, n);
    case DataType::kFloat16:
    case DataType::kBfloat16: {
      std::vector<Out> result;
      for (const uint16_t bits : convert<uint16_t, uint16_t>(data, n)) {
        const uint32_t wide = static_cast<uint32_t>(bits) << 16;
        float value = 0;
        std::memcpy(&value, &wide, sizeof(value));
        if (tensor.type() == DataType::kFloat16) value = half_to_float(bits);
        result.push_back(static_cast<Out>(value));
      }
      return result;
    }
    case DataType::kInt4:
    case DataType::kUint4: {
      std::vector<Out> result(static_cast<size_t>(n));
      for (int64_t i = 0; i < n; ++i) {
        result[static_cast<size_t>(i)] =
            static_cast<Out>(nibble_at(data, i, tensor.type() == DataType::kInt4));
      }
      return result;
    }
    default:
      throw_error(Category::kUnsupported, "tensor", "a numeric element type is needed",
                  data_type_name(tensor.type()),
                  "convert the tensor to a common type before using limbeck");
  }
}

}  // namespace

std::string dims_text(const Dims& dims) {
  if (dims.empty()) return "scalar";
  std::string text;
  for (const int64_t dim : dims) text += (text.empty() ? "" : "x") + std::to_string(dim);
  return text;
}

int64_t element_count(const Dims& dims, const std::string& place) {
  if (dims.size() > kMaxRank) {
    throw_error(Category::kInvalidModel, place,
                "a tensor must have at most " + std::to_string(kMaxRank) + " dimensions",
                std::to_string(dims.size()),
                "export the model again; the file is damaged or hostile");
  }
  int64_t count = 1;
  for (const int64_t dim : dims) {
    if (dim < 0 || (dim > 0 && count > kMaxElements / dim)) {
      throw_error(Category::kInvalidModel, place,
                  "dimensions must be non-negative with a product of at most 2^56", dims_text(dims),
                  "export the model again; the file is damaged or hostile");
    }
    count *= dim;
  }
  return count;
}

Tensor Tensor::allocate(DataType type, Dims dims) {
  Tensor result;
  result.count_ = element_count(dims, "tensor");
  result.type_ = type;
  result.dims_ = std::move(dims);
  const size_t bytes = (result.bytes() + kAlignment) / kAlignment * kAlignment;
  void* memory = std::aligned_alloc(kAlignment, bytes);
  if (memory == nullptr) {
    throw_error(Category::kData, "tensor " + dims_text(result.dims_),
                "the tensor must fit into memory", std::to_string(bytes) + " bytes",
                "use a smaller batch or a machine with more memory");
  }
  result.owner_ = std::shared_ptr<void>(memory, [](void* p) { std::free(p); });
  result.data_ = static_cast<const std::byte*>(memory);
  result.writable_ = true;
  return result;
}

Tensor Tensor::zeros(DataType type, Dims dims) {
  Tensor result = allocate(type, std::move(dims));
  std::memset(result.mutable_raw(), 0, result.bytes());
  return result;
}

Tensor Tensor::view(DataType type, Dims dims, std::span<const std::byte> bytes,
                    std::shared_ptr<const void> owner, const std::string& place) {
  Tensor result;
  result.count_ = element_count(dims, place);
  result.type_ = type;
  result.dims_ = std::move(dims);
  if (bits_per_element(type) == 0 || result.bytes() != bytes.size()) {
    throw_error(Category::kInvalidModel, place,
                "the stored size must equal that of " + data_type_name(type) + " " +
                    dims_text(result.dims_) + ", " + std::to_string(result.bytes()) + " bytes",
                std::to_string(bytes.size()) + " bytes",
                "export the model again; the file is damaged or truncated");
  }
  result.data_ = bytes.data();
  result.owner_ = std::move(owner);
  const bool aligned = reinterpret_cast<uintptr_t>(result.data_) % element_alignment(type) == 0;
  return aligned ? result : result.clone();
}

std::byte* Tensor::mutable_raw() {
  if (!writable_)
    throw_error(Category::kInternal, "tensor", "a shared weight is read-only", "a write",
                "report this bug");
  return const_cast<std::byte*>(
      data_);  // NOLINT(cppcoreguidelines-pro-type-const-cast): allocated here, writable
}

Tensor Tensor::reshaped(Dims dims) const {
  if (element_count(dims, "reshape") != count_) {
    throw_error(Category::kInvalidModel, "reshape of " + dims_text(dims_),
                "the number of elements must not change", dims_text(dims),
                "check the shape inputs of the model");
  }
  Tensor result = *this;
  result.dims_ = std::move(dims);
  return result;
}

Tensor Tensor::clone() const {
  Tensor result = allocate(type_, dims_);
  if (bytes() > 0) std::memcpy(result.mutable_raw(), data_, bytes());
  return result;
}

std::vector<int64_t> Tensor::to_int64() const { return convert_tensor<int64_t>(*this); }
std::vector<float> Tensor::to_float() const { return convert_tensor<float>(*this); }

void Tensor::check_type(DataType wanted) const {
  if (wanted == type_ || (wanted == DataType::kUint8 && type_ == DataType::kBool)) return;
  throw_error(Category::kInternal, "tensor " + dims_text(dims_),
              "element type " + data_type_name(wanted) + " was expected", data_type_name(type_),
              "report this bug with the model");
}

}  // namespace limbeck
