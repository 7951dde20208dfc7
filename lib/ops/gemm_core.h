// Plain matrix product, the reference that lib/engine/onednn is compared with. Internal to lib/ops.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace limbeck {

/// 32-bit accumulator of integer products. Unsigned, because it wraps as the hardware does without
/// being undefined; the bits are those of the int32 result.
using WrappingInt = uint32_t;

/// c[m, n] += a[m, k] * b[k, n], all row-major and dense. The order of additions is that of k.
/// T: float, double or WrappingInt.
template <typename T>
void multiply_add(const T* a, const T* b, T* c, int64_t m, int64_t k, int64_t n);

/// The transpose of a row-major rows x columns matrix.
template <typename T>
std::vector<T> transposed(const T* matrix, int64_t rows, int64_t columns) {
  std::vector<T> result(static_cast<size_t>(rows * columns));
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < columns; ++c)
      result[static_cast<size_t>(c * rows + r)] = matrix[r * columns + c];
  }
  return result;
}

}  // namespace limbeck
