// Inner loops of exact 8-bit convolutions and products, compiled for several instruction sets and
// chosen at run time (Highway).
//
// Why they exist: without VNNI the usual 8-bit instruction (vpmaddubsw) adds two products in 16
// bits and saturates, 255 * 127 + 255 * 127 for example. Here codes are widened to 16 bits with the
// zero point taken off, and pairs of products are added in 32 bits (vpmaddwd), which cannot
// overflow.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "lib/engine/post_op.h"

namespace limbeck {

/// Weights of a product, in the order in which the loops read them. Made by pack_weights.
struct PairedWeights {
  int64_t columns = 0;          ///< results a row
  int64_t runs = 0;             ///< stretches of contiguous inputs that a result reads
  int64_t pairs = 0;            ///< pairs of inputs a run; an odd last one has a weight of 0
  int64_t panel = 0;            ///< columns computed together
  std::vector<int16_t> values;  ///< [panel][run][pair][column][2]
};

/// `weight(column, run, i)` in 16 bits, i < length.
template <typename Weight>
PairedWeights pack_weights(int64_t columns, int64_t runs, int64_t length, const Weight& weight);

/// Columns that are computed together on this CPU.
int64_t panel_columns();

/// target = stored code - zero.
void widen_codes(const uint8_t* source, int64_t count, int32_t zero, bool is_signed,
                 int16_t* target);
void widen_codes(const uint8_t* source, int64_t count, int32_t zero, bool is_signed, float* target);

/// How sums become results: see onednn::Requantization. Vectors are read whole, so `scales` and
/// `bias` are padded with kPadding items.
struct Finish {
  enum class Output { kFloat, kUint8, kInt8, kInt32 };
  std::vector<float> scales;  ///< one a column
  std::vector<float> bias;    ///< one a column, in units of the sums
  PostOps post_ops;           ///< functions only, on values in multiples of `unit`
  float unit = 1;
  float requantize = 1;
  int32_t zero = 0;
  Output output = Output::kFloat;
  static constexpr std::size_t kPadding = 64;
};
constexpr std::size_t bytes_of(Finish::Output output) {
  return output == Finish::Output::kUint8 || output == Finish::Output::kInt8 ? 1 : 4;
}

/// Where the results of a product go: row r, column c at target + r * stride + c elements; `first`
/// is the position of column 0 in the Finish.
struct ProductTarget {
  std::byte* target = nullptr;
  int64_t stride = 0;  ///< bytes from one row to the next
  int64_t first = 0;
};

/// result[r][c] = finish(sum over runs and i of rows[r][offsets[run] + i] * weight(c, run, i)).
/// Reads one value past a run of odd length.
void multiply_rows(const int16_t* const* rows, int64_t count, const int64_t* offsets,
                   const PairedWeights& weights, const Finish& finish, const ProductTarget& target);

/// result[p][c] = finish(sum over taps of source[p * step + offsets[tap] + c] * weights[tap *
/// channels + c]) for `count` pixels. Whole numbers below 2^24, so the floats are exact.
struct DepthwiseRow {
  const float* source = nullptr;
  int64_t count = 0;
  int64_t step = 0;
  const int64_t* offsets = nullptr;
  int64_t taps = 0;
  const float* weights = nullptr;
  int64_t channels = 0;
};
void multiply_depthwise(const DepthwiseRow& row, const Finish& finish, std::byte* target);

template <typename Weight>
PairedWeights pack_weights(int64_t columns, int64_t runs, int64_t length, const Weight& weight) {
  PairedWeights packed;
  packed.columns = columns;
  packed.runs = runs;
  packed.pairs = (length + 1) / 2;
  packed.panel = panel_columns();
  const int64_t panels = (columns + packed.panel - 1) / packed.panel;
  packed.values.assign(static_cast<size_t>(panels * packed.panel * runs * packed.pairs * 2), 0);
  auto target = packed.values.begin();
  for (int64_t first = 0; first < columns; first += packed.panel) {
    for (int64_t run = 0; run < runs; ++run) {
      for (int64_t i = 0; i < packed.pairs * packed.panel * 2; ++i, ++target) {
        const int64_t column = first + i / 2 % packed.panel;
        const int64_t position = i / 2 / packed.panel * 2 + i % 2;
        if (column < columns && position < length)
          *target = static_cast<int16_t>(weight(column, run, position));
      }
    }
  }
  return packed;
}

}  // namespace limbeck
