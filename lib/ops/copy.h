// Moving elements without computing: the core of Transpose, Slice, Pad, Tile, Gather and others.
// Internal to lib/ops.
#pragma once

#include "lib/ops/common.h"

namespace limbeck {

/// Fills `output` in row-major order, reading `input` at sum(position * strides). Strides are in
/// elements, may be 0.
void strided_copy(const Tensor& input, const Dims& strides, Tensor& output,
                  const std::string& place);

/// Per-axis source positions; -1 means "outside, use the fill element".
using IndexTables = std::vector<std::vector<int64_t>>;

/// output[i, j, ...] = input[tables[0][i], tables[1][j], ...]; the output must have the tables'
/// sizes as dimensions. `fill` points at one element, null for zero.
void index_copy(const Tensor& input, const IndexTables& tables, const std::byte* fill,
                Tensor& output, const std::string& place);

/// Dimensions that the tables describe.
Dims table_dims(const IndexTables& tables);

}  // namespace limbeck
