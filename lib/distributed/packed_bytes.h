// Numbers as the bytes that ranks send each other: all have the same machine format.
#pragma once

#include <cstddef>
#include <cstring>
#include <string>
#include <type_traits>
#include <vector>

#include "lib/base/error.h"

namespace limbeck {

inline void put_bytes(std::string& bytes, const void* data, size_t size) {
  bytes.append(static_cast<const char*>(data), size);
}
template <typename T>
void put_value(std::string& bytes, const T& value) {
  static_assert(std::is_trivially_copyable_v<T>);
  put_bytes(bytes, &value, sizeof(T));
}
/// Their number is not stored.
template <typename T>
void put_values(std::string& bytes, const std::vector<T>& values) {
  static_assert(std::is_trivially_copyable_v<T>);
  put_bytes(bytes, values.data(), values.size() * sizeof(T));
}

/// Takes values off the front of what another rank has sent, which must outlive the reader. Raises
/// kInternal where it ends early.
class PackedReader {
 public:
  explicit PackedReader(const std::string& bytes) : bytes_(bytes) {}
  bool empty() const { return at_ == bytes_.size(); }
  void take(void* target, size_t size) {
    if (size > bytes_.size() - at_) {
      throw_error(Category::kInternal, "ranks", "a rank must send whole values",
                  std::to_string(bytes_.size()) + " bytes", "report this bug with the command");
    }
    if (size > 0) std::memcpy(target, bytes_.data() + at_, size);
    at_ += size;
  }
  template <typename T>
  T take_value() {
    T value{};
    take(&value, sizeof(T));
    return value;
  }
  template <typename T>
  std::vector<T> take_values(size_t count) {
    std::vector<T> values(count);
    take(values.data(), count * sizeof(T));
    return values;
  }

 private:
  const std::string& bytes_;
  size_t at_ = 0;
};

}  // namespace limbeck
