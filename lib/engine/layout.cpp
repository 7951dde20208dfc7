#include "lib/engine/layout.h"

#include <algorithm>
#include <string>

#include "lib/base/error.h"

namespace limbeck {
namespace {

/// target[column][row] = source[row][column], in tiles that stay in the first-level cache.
template <typename T>
void transpose(const T* source, T* target, int64_t rows, int64_t columns) {
  constexpr int64_t kTile = 16;
  for (int64_t r0 = 0; r0 < rows; r0 += kTile) {
    const int64_t r1 = std::min(rows, r0 + kTile);
    for (int64_t c0 = 0; c0 < columns; c0 += kTile) {
      const int64_t c1 = std::min(columns, c0 + kTile);
      for (int64_t c = c0; c < c1; ++c) {
        for (int64_t r = r0; r < r1; ++r) target[c * rows + r] = source[r * columns + c];
      }
    }
  }
}

template <typename T>
void transpose_batch(const std::byte* source, std::byte* target, int64_t batch, int64_t rows,
                     int64_t columns) {
  const auto* from = reinterpret_cast<const T*>(source);
  auto* to = reinterpret_cast<T*>(target);
  for (int64_t n = 0; n < batch; ++n)
    transpose(from + n * rows * columns, to + n * rows * columns, rows, columns);
}

}  // namespace

bool layout_is_irrelevant(const Dims& dims) {
  if (dims.size() < 3 || dims[1] == 1) return true;
  return std::all_of(dims.begin() + 2, dims.end(), [](int64_t dim) { return dim == 1; });
}

Tensor in_layout(const Activation& activation, Layout wanted, BufferPool& pool) {
  const Tensor& tensor = activation.tensor;
  if (activation.layout == wanted || tensor.count() == 0 || layout_is_irrelevant(tensor.dims()))
    return tensor;
  const int64_t batch = tensor.dim(0);
  const int64_t channels = tensor.dim(1);
  const int64_t pixels = tensor.count() / (batch * channels);
  const bool to_plain = wanted == Layout::kPlain;
  const int64_t rows = to_plain ? pixels : channels;
  const int64_t columns = to_plain ? channels : pixels;
  WritableTensor result = pool.allocate(tensor.type(), tensor.dims());
  switch (bits_per_element(tensor.type())) {
    case 8: transpose_batch<uint8_t>(tensor.raw(), result.data, batch, rows, columns); break;
    case 16: transpose_batch<uint16_t>(tensor.raw(), result.data, batch, rows, columns); break;
    case 32: transpose_batch<uint32_t>(tensor.raw(), result.data, batch, rows, columns); break;
    case 64: transpose_batch<uint64_t>(tensor.raw(), result.data, batch, rows, columns); break;
    default:
      throw_error(Category::kUnsupported, "engine",
                  "a tensor between convolutions must have 8 to 64 bits an element",
                  data_type_name(tensor.type()), "run the model with fusion switched off");
  }
  return std::move(result.tensor);
}

}  // namespace limbeck
