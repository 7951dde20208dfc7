#include "lib/distill/losses/product.h"

namespace limbeck {
namespace {

// A tile of sums that fits into the registers of the plainest x86-64.
constexpr size_t kTileRows = 4;
constexpr size_t kTileColumns = 4;

struct Operands {
  const double* a;
  size_t row_step;
  size_t column_step;
  const double* b;
  double* c;
  size_t k;
  size_t n;
};

void add_tile(const Operands& o, size_t row, size_t column) {
  double sums[kTileRows][kTileColumns] = {};
  for (size_t k = 0; k < o.k; ++k) {
    const double* b = o.b + k * o.n + column;
    const double* a = o.a + row * o.row_step + k * o.column_step;
    for (size_t i = 0; i < kTileRows; ++i) {
      const double factor = a[i * o.row_step];
      for (size_t j = 0; j < kTileColumns; ++j) sums[i][j] += factor * b[j];
    }
  }
  for (size_t i = 0; i < kTileRows; ++i) {
    for (size_t j = 0; j < kTileColumns; ++j) o.c[(row + i) * o.n + column + j] += sums[i][j];
  }
}

void add_element(const Operands& o, size_t row, size_t column) {
  double sum = 0;
  for (size_t k = 0; k < o.k; ++k) {
    sum += o.a[row * o.row_step + k * o.column_step] * o.b[k * o.n + column];
  }
  o.c[row * o.n + column] += sum;
}

}  // namespace

void add_product(const ProductSize& size, const double* a, size_t row_step, size_t column_step,
                 const double* b, double* c) {
  const Operands operands = {a, row_step, column_step, b, c, size.k, size.n};
  const size_t tiled_rows = size.m / kTileRows * kTileRows;
  const size_t tiled_columns = size.n / kTileColumns * kTileColumns;
  for (size_t row = 0; row < size.m; row += row < tiled_rows ? kTileRows : 1) {
    const size_t tiled = row < tiled_rows ? tiled_columns : 0;
    for (size_t column = 0; column < tiled; column += kTileColumns) add_tile(operands, row, column);
    const size_t last = row < tiled_rows ? row + kTileRows : row + 1;
    for (size_t rest = row; rest < last; ++rest) {
      for (size_t column = tiled; column < size.n; ++column) add_element(operands, rest, column);
    }
  }
}

std::vector<double> transposed(const double* matrix, size_t rows, size_t columns) {
  std::vector<double> result(rows * columns);
  for (size_t i = 0; i < rows; ++i) {
    for (size_t j = 0; j < columns; ++j) result[j * rows + i] = matrix[i * columns + j];
  }
  return result;
}

}  // namespace limbeck
