#include "lib/ops/nibbles.h"

namespace limbeck {

Tensor pack_nibbles(DataType type, Dims dims, const std::vector<int32_t>& values) {
  Tensor result = Tensor::zeros(type, std::move(dims));
  std::byte* bytes = result.mutable_raw();
  for (size_t i = 0; i < values.size(); ++i) {
    const auto nibble = static_cast<std::byte>(values[i] & 0xF);
    bytes[i / 2] |= i % 2 == 0 ? nibble : nibble << 4;
  }
  return result;
}

}  // namespace limbeck
