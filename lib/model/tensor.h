// A dense, row-major array: the value that flows along a graph edge or is stored as a weight.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "lib/model/data_type.h"

namespace limbeck {

using Dims = std::vector<int64_t>;

/// "2x3x4"; "scalar" for no dimensions.
std::string dims_text(const Dims& dims);

/// Largest number of dimensions of a tensor.
inline constexpr size_t kMaxRank = 64;

/// Product of dims, checked: raises kInvalidModel for a negative dimension, more than kMaxRank of
/// them, or a product above 2^56 (so that a size in bits fits 64 bits for every element type).
/// `place` goes into the error.
int64_t element_count(const Dims& dims, const std::string& place);

/// Row-major, dense, 64-byte aligned when allocated here. Copies share the bytes; mutable access is
/// for the sole owner, right after allocate(). Reading from many threads is safe. Bool is one byte
/// an element. 4-bit types hold two elements a byte, the first in the low nibble.
class Tensor {
 public:
  Tensor() = default;

  /// Uninitialised storage owned by the tensor.
  static Tensor allocate(DataType type, Dims dims);
  /// Zero-filled storage.
  static Tensor zeros(DataType type, Dims dims);
  /// Shares `bytes`, which `owner` keeps alive (a mapping, a protobuf string). Raises kInvalidModel
  /// if the size is wrong.
  static Tensor view(DataType type, Dims dims, std::span<const std::byte> bytes,
                     std::shared_ptr<const void> owner, const std::string& place);
  /// Copies values; values.size() must equal the product of dims.
  template <typename T>
  static Tensor from(const Dims& dims, const std::vector<T>& values);
  template <typename T>
  static Tensor scalar(T value) {
    return from<T>({}, {value});
  }

  bool empty() const { return data_ == nullptr && count_ == 0 && dims_.empty(); }
  DataType type() const { return type_; }
  const Dims& dims() const { return dims_; }
  int64_t dim(size_t axis) const { return dims_.at(axis); }
  size_t rank() const { return dims_.size(); }
  int64_t count() const { return count_; }
  size_t bytes() const { return storage_bytes(type_, static_cast<size_t>(count_)); }

  const std::byte* raw() const { return data_; }
  std::byte* mutable_raw();

  /// Typed view; raises kInternal when T does not match type(). uint8_t may also view bool.
  template <typename T>
  std::span<const T> as() const {
    check_type(data_type_of<T>());
    return {reinterpret_cast<const T*>(data_), static_cast<size_t>(count_)};
  }
  template <typename T>
  std::span<T> mutable_as() {
    check_type(data_type_of<T>());
    return {reinterpret_cast<T*>(mutable_raw()), static_cast<size_t>(count_)};
  }

  /// Same bytes under other dimensions of the same product.
  Tensor reshaped(Dims dims) const;
  /// Deep copy with its own storage.
  Tensor clone() const;

  /// Values of any numeric or 4-bit type as 64-bit integers or doubles (converted). For shapes,
  /// axes and small constants.
  std::vector<int64_t> to_int64() const;
  std::vector<float> to_float() const;

 private:
  void check_type(DataType wanted) const;

  DataType type_ = DataType::kUndefined;
  Dims dims_;
  int64_t count_ = 0;
  const std::byte* data_ = nullptr;
  std::shared_ptr<const void> owner_;
  bool writable_ = false;
};

template <typename T>
Tensor Tensor::from(const Dims& dims, const std::vector<T>& values) {
  Tensor result = allocate(data_type_of<T>(), dims);
  auto target = result.mutable_as<T>();
  for (size_t i = 0; i < target.size() && i < values.size(); ++i) target[i] = values[i];
  return result;
}

}  // namespace limbeck
