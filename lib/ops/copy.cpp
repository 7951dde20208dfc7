#include "lib/ops/copy.h"

#include <algorithm>
#include <cstring>

#include "lib/ops/broadcast.h"

namespace limbeck {
namespace {

template <typename U>
void copy_row(const U* source, const std::vector<int64_t>& table, U fill, U* target) {
  const auto n = static_cast<int64_t>(table.size());
  const bool contiguous = n > 0 && table.front() >= 0 && table.back() - table.front() == n - 1 &&
                          std::is_sorted(table.begin(), table.end());
  if (contiguous && std::adjacent_find(table.begin(), table.end()) == table.end()) {
    std::memcpy(target, source + table.front(), at(n) * sizeof(U));
    return;
  }
  for (int64_t i = 0; i < n; ++i) {
    const int64_t index = table[at(i)];
    target[i] = index < 0 ? fill : source[index];
  }
}

/// Element offset of a row; -1 when any outer axis is outside.
int64_t row_offset(const IndexTables& tables, const Dims& position, const Dims& strides) {
  int64_t offset = 0;
  for (size_t i = 0; i < position.size(); ++i) {
    const int64_t index = tables[i][at(position[i])];
    if (index < 0) return -1;
    offset += index * strides[i];
  }
  return offset;
}

template <typename U>
void copy_tables(const Tensor& input, const IndexTables& tables, U fill, Tensor& output) {
  const size_t outer = tables.size() - 1;
  const Dims strides = row_strides(input.dims());
  const int64_t n = output.dim(outer);
  U* target = mutable_raw_as<U>(output);
  Dims position(outer, 0);
  do {
    const int64_t offset = row_offset(tables, position, strides);
    if (offset < 0) {
      std::fill(target, target + n, fill);
    } else {
      copy_row(raw_as<U>(input) + offset, tables[outer], fill, target);
    }
    target += n;
  } while (next_position(position, output.dims(), outer));
}

template <typename U>
void copy_strides(const U* source, const Dims& dims, const Dims& strides, U* target) {
  const size_t outer = dims.size() - 1;
  const int64_t n = dims[outer];
  const int64_t step = strides[outer];
  Dims position(outer, 0);
  do {
    const U* row = source;
    for (size_t i = 0; i < outer; ++i) row += position[i] * strides[i];
    if (step == 1) {
      std::memcpy(target, row, at(n) * sizeof(U));
    } else {
      for (int64_t i = 0; i < n; ++i) target[i] = row[i * step];
    }
    target += n;
  } while (next_position(position, dims, outer));
}

}  // namespace

Dims table_dims(const IndexTables& tables) {
  Dims dims;
  for (const auto& table : tables) dims.push_back(static_cast<int64_t>(table.size()));
  return dims;
}

void strided_copy(const Tensor& input, const Dims& strides, Tensor& output,
                  const std::string& place) {
  if (output.count() == 0) return;
  Dims dims;
  Dims merged;
  for (size_t i = 0; i < strides.size(); ++i) {
    if (output.dim(i) == 1) continue;
    if (!dims.empty() && merged.back() == strides[i] * output.dim(i)) {
      dims.back() *= output.dim(i);
      merged.back() = strides[i];
    } else {
      dims.push_back(output.dim(i));
      merged.push_back(strides[i]);
    }
  }
  if (dims.empty()) {
    dims = {1};
    merged = {1};
  }
  dispatch_width(input.type(), place, [&]<typename U>() {
    copy_strides(raw_as<U>(input), dims, merged, mutable_raw_as<U>(output));
  });
}

void index_copy(const Tensor& input, const IndexTables& tables, const std::byte* fill,
                Tensor& output, const std::string& place) {
  if (output.count() == 0) return;
  dispatch_width(input.type(), place, [&]<typename U>() {
    U element = 0;
    if (fill != nullptr) std::memcpy(&element, fill, sizeof(U));
    if (tables.empty()) {
      *mutable_raw_as<U>(output) = *raw_as<U>(input);
    } else {
      copy_tables<U>(input, tables, element, output);
    }
  });
}

}  // namespace limbeck
