#include "lib/ops/gemm_core.h"

#include <algorithm>

namespace limbeck {
namespace {

constexpr int64_t kRows = 4;
constexpr int64_t kColumns = 8;

/// A full kRows x kColumns tile held in registers.
template <typename T>
void tile(const T* a, const T* b, T* c, int64_t k, int64_t n) {
  T sums[kRows][kColumns];
  for (int64_t r = 0; r < kRows; ++r) {
    for (int64_t j = 0; j < kColumns; ++j) sums[r][j] = c[r * n + j];
  }
  for (int64_t p = 0; p < k; ++p) {
    const T* row = b + p * n;
    for (int64_t r = 0; r < kRows; ++r) {
      const T left = a[r * k + p];
      for (int64_t j = 0; j < kColumns; ++j) sums[r][j] += left * row[j];
    }
  }
  for (int64_t r = 0; r < kRows; ++r) {
    for (int64_t j = 0; j < kColumns; ++j) c[r * n + j] = sums[r][j];
  }
}

/// The ragged rest.
template <typename T>
void edge(const T* a, const T* b, T* c, int64_t rows, int64_t columns, int64_t k, int64_t n) {
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t p = 0; p < k; ++p) {
      const T left = a[r * k + p];
      for (int64_t j = 0; j < columns; ++j) c[r * n + j] += left * b[p * n + j];
    }
  }
}

}  // namespace

template <typename T>
void multiply_add(const T* a, const T* b, T* c, int64_t m, int64_t k, int64_t n) {
  const int64_t full_rows = m / kRows * kRows;
  const int64_t full_columns = n / kColumns * kColumns;
  for (int64_t j = 0; j < full_columns; j += kColumns) {
    for (int64_t i = 0; i < full_rows; i += kRows) tile(a + i * k, b + j, c + i * n + j, k, n);
  }
  edge(a, b + full_columns, c + full_columns, full_rows, n - full_columns, k, n);
  edge(a + full_rows * k, b, c + full_rows * n, m - full_rows, n, k, n);
}

template void multiply_add(const float*, const float*, float*, int64_t, int64_t, int64_t);
template void multiply_add(const double*, const double*, double*, int64_t, int64_t, int64_t);
template void multiply_add(const WrappingInt*, const WrappingInt*, WrappingInt*, int64_t, int64_t,
                           int64_t);

}  // namespace limbeck
