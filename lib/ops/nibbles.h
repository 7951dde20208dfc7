// 4-bit elements: two a byte, the first in the low nibble. Internal to lib/ops.
#pragma once

#include "lib/model/tensor.h"

namespace limbeck {

inline bool is_4_bit(DataType type) { return type == DataType::kInt4 || type == DataType::kUint4; }

/// Packs values that already lie within the range of `type` (kInt4 or kUint4).
Tensor pack_nibbles(DataType type, Dims dims, const std::vector<int32_t>& values);

}  // namespace limbeck
