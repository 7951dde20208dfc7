// Small matrix products in double, with sums in a fixed order. Internal to lib/distill/losses.
#pragma once

#include <cstddef>
#include <vector>

namespace limbeck {

/// Sizes of c[m, n] += a[m, k] * b[k, n].
struct ProductSize {
  size_t m = 0;
  size_t k = 0;
  size_t n = 0;
};

/// Each element of c is increased by the sum over k, from the first to the last: the same bits
/// however the work is cut. b and c are dense, rows first; element (i, j) of a lies at
/// a[i * row_step + j * column_step].
void add_product(const ProductSize& size, const double* a, size_t row_step, size_t column_step,
                 const double* b, double* c);

/// Columns first.
std::vector<double> transposed(const double* matrix, size_t rows, size_t columns);

}  // namespace limbeck
