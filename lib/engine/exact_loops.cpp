#include "lib/engine/exact_loops.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

// Pairs of 16-bit values need vectors of more than one lane, which Highway's scalar target lacks.
#include <hwy/detect_compiler_arch.h>
#if HWY_ARCH_X86
#define HWY_BASELINE_TARGETS HWY_SSSE3
#endif

// Highway compiles this file once an instruction set.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "lib/engine/exact_loops.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace limbeck {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using FloatTag = hn::ScalableTag<float>;
using IntTag = hn::RebindToSigned<FloatTag>;
using ShortTag = hn::Repartition<int16_t, IntTag>;
using FloatVec = hn::Vec<FloatTag>;
using IntVec = hn::Vec<IntTag>;
constexpr int64_t kLanes = hn::MaxLanes(FloatTag());
/// Beyond every 8-bit result, and exactly representable as int32.
constexpr float kSafe = 1048576.0F;

int64_t panel_width() { return 2 * static_cast<int64_t>(hn::Lanes(FloatTag())); }

/// The same pair of 16-bit values in every 32-bit lane.
hn::Vec<ShortTag> broadcast_pair(const int16_t* pair) {
  int32_t both = 0;
  std::memcpy(&both, pair, sizeof both);
  return hn::BitCast(ShortTag(), hn::Set(IntTag(), both));
}

/// A function without a vector form, lane by lane.
FloatVec by_lane(FloatVec x, const Unary& op) {
  HWY_ALIGN float lanes[hn::MaxLanes(FloatTag())];
  hn::Store(x, FloatTag(), lanes);
  for (float& value : lanes) {
    switch (op.kind) {
      case UnaryKind::kSigmoid: value = 1 / (1 + std::exp(-value)); break;
      case UnaryKind::kTanh: value = std::tanh(value); break;
      case UnaryKind::kSwish: value = value / (1 + std::exp(-op.alpha * value)); break;
      case UnaryKind::kElu: value = value > 0 ? value : op.alpha * std::expm1(value); break;
      default: value = std::exp(value); break;
    }
  }
  return hn::Load(FloatTag(), lanes);
}

FloatVec apply_function(FloatVec x, const Unary& op, float unit) {
  const FloatTag d;
  const auto zero = hn::Zero(d);
  switch (op.kind) {
    case UnaryKind::kRelu:
      if (op.alpha == 0) return hn::Max(x, zero);
      return hn::IfThenElse(hn::Gt(x, zero), x, hn::Mul(x, hn::Set(d, op.alpha)));
    case UnaryKind::kClip:
      return hn::Min(hn::Max(x, hn::Set(d, op.alpha / unit)), hn::Set(d, op.beta / unit));
    case UnaryKind::kHardSwish: {
      const auto gate = hn::Clamp(hn::Add(x, hn::Set(d, 3.0F)), zero, hn::Set(d, 6.0F));
      return hn::Mul(hn::Mul(x, gate), hn::Set(d, 1.0F / 6.0F));
    }
    case UnaryKind::kLinear: return hn::Add(hn::Mul(x, hn::Set(d, op.alpha)), hn::Set(d, op.beta));
    case UnaryKind::kSqrt: return hn::Sqrt(x);
    case UnaryKind::kAbs: return hn::Abs(x);
    default: return by_lane(x, op);
  }
}

FloatVec as_float(const int32_t* sums) {
  return hn::ConvertTo(FloatTag(), hn::LoadU(IntTag(), sums));
}
FloatVec as_float(const float* sums) { return hn::LoadU(FloatTag(), sums); }

/// Sums of the columns from `column` on of `rows` rows, `step` sums apart, and where the results
/// go.
struct Tile {
  int64_t rows;
  int64_t step;
  int64_t column;   ///< of the first sum, in the Finish
  int64_t columns;  ///< to write
  std::byte* target;
  int64_t stride;
};

/// A Finish with its functions reduced to one clamp, when they are no more than that: the common
/// case, with a tight loop.
struct Recipe {
  explicit Recipe(const Finish& whole) : finish(&whole) {
    if (whole.post_ops.size() > 1 || whole.requantize != 1.0F) return;
    clamps = true;
    if (whole.post_ops.empty()) return;
    const Unary& op = whole.post_ops[0].unary;
    if (op.kind == UnaryKind::kRelu && op.alpha == 0) {
      low = 0;
    } else if (op.kind == UnaryKind::kClip) {
      low = op.alpha / whole.unit;
      high = op.beta / whole.unit;
    } else {
      clamps = false;
    }
  }
  const Finish* finish;
  bool clamps = false;
  float low = std::numeric_limits<float>::lowest();
  float high = std::numeric_limits<float>::max();
};

/// Adding it to a float below 2^22 leaves the number, rounded half to even, in the low bits.
constexpr float kRounder = 12582912.0F;
constexpr int32_t kRounderBits = 0x4B400000;

/// Results in steps as codes (`shift`: zero point less kRounderBits) or as they are.
template <typename Codes>
HWY_INLINE void store_results(FloatVec steps, IntVec shift, std::byte* target) {
  const FloatTag d;
  if constexpr (sizeof(Codes) == 1) {
    const hn::Rebind<Codes, FloatTag> narrow;
    const auto bits = hn::BitCast(IntTag(), hn::Add(steps, hn::Set(d, kRounder)));
    hn::StoreU(hn::DemoteTo(narrow, hn::Add(bits, shift)), narrow,
               reinterpret_cast<Codes*>(target));
  } else {
    hn::StoreU(steps, d, reinterpret_cast<float*>(target));
  }
}

/// Writes up to kLanes columns of a tile; result(sums) gives a vector of results in steps.
template <typename Codes, typename Sum, typename Result>
HWY_INLINE void write_columns(const Sum* sums, const Tile& tile, int64_t columns, std::byte* target,
                              int32_t zero, const Result& result) {
  const auto shift = hn::Set(IntTag(), zero - kRounderBits);
  // Copies, because a store of bytes could change whatever is in memory.
  const int64_t rows = tile.rows;
  const int64_t step = tile.step;
  const int64_t stride = tile.stride;
  if (columns >= kLanes) {
    for (int64_t r = 0; r < rows; ++r, target += stride, sums += step)
      store_results<Codes>(result(as_float(sums)), shift, target);
    return;
  }
  const auto bytes = static_cast<size_t>(columns) * sizeof(Codes);
  HWY_ALIGN std::byte some[hn::MaxLanes(FloatTag()) * sizeof(float)];
  for (int64_t r = 0; r < rows; ++r, target += stride, sums += step) {
    store_results<Codes>(result(as_float(sums)), shift, some);
    std::memcpy(target, some, bytes);
  }
}

/// The tight loop. Codes: uint8_t, int8_t, or float for real results.
template <typename Codes, typename Sum>
HWY_NOINLINE void clamp_tile(const Sum* sums, const Tile& tile, const Recipe& recipe) {
  const FloatTag d;
  const float limit = sizeof(Codes) == 1 ? kSafe : std::numeric_limits<float>::max();
  const auto low = hn::Set(d, std::max(recipe.low, -limit));
  const auto high = hn::Set(d, std::min(recipe.high, limit));
  for (int64_t c = 0; c < tile.columns; c += kLanes) {
    const auto bias = hn::LoadU(d, recipe.finish->bias.data() + tile.column + c);
    const auto scale = hn::LoadU(d, recipe.finish->scales.data() + tile.column + c);
    write_columns<Codes>(sums + c, tile, tile.columns - c,
                         tile.target + c * static_cast<int64_t>(sizeof(Codes)), recipe.finish->zero,
                         [=](FloatVec sum) HWY_ATTR {
                           const auto real = hn::Mul(hn::Add(sum, bias), scale);
                           return hn::Min(hn::Max(real, low), high);
                         });
  }
}

/// Any functions.
template <typename Codes, typename Sum>
HWY_NOINLINE void function_tile(const Sum* sums, const Tile& tile, const Finish& finish) {
  const FloatTag d;
  const float limit = sizeof(Codes) == 1 ? kSafe : std::numeric_limits<float>::max();
  const auto far = hn::Set(d, limit);
  const auto requantize = hn::Set(d, finish.requantize);
  for (int64_t c = 0; c < tile.columns; c += kLanes) {
    const auto bias = hn::LoadU(d, finish.bias.data() + tile.column + c);
    const auto scale = hn::LoadU(d, finish.scales.data() + tile.column + c);
    write_columns<Codes>(sums + c, tile, tile.columns - c,
                         tile.target + c * static_cast<int64_t>(sizeof(Codes)), finish.zero,
                         [&](FloatVec sum) HWY_ATTR {
                           auto real = hn::Mul(hn::Add(sum, bias), scale);
                           for (const PostOp& op : finish.post_ops)
                             real = apply_function(real, op.unary, finish.unit);
                           return hn::Clamp(hn::Mul(real, requantize), hn::Neg(far), far);
                         });
  }
}

template <typename Codes, typename Sum>
void finish_tile(const Sum* sums, const Tile& tile, const Recipe& recipe) {
  if (recipe.clamps) return clamp_tile<Codes>(sums, tile, recipe);
  function_tile<Codes>(sums, tile, *recipe.finish);
}

template <typename Sum>
void store_sums(const Sum* sums, const Tile& tile) {
  for (int64_t r = 0; r < tile.rows; ++r) {
    for (int64_t c = 0; c < tile.columns; ++c) {
      const auto sum = static_cast<int32_t>(sums[r * tile.step + c]);
      std::memcpy(tile.target + r * tile.stride + c * static_cast<int64_t>(sizeof sum), &sum,
                  sizeof sum);
    }
  }
}

template <typename Sum>
void finish_any(const Sum* sums, const Tile& tile, const Recipe& recipe) {
  switch (recipe.finish->output) {
    case Finish::Output::kUint8: return finish_tile<uint8_t>(sums, tile, recipe);
    case Finish::Output::kInt8: return finish_tile<int8_t>(sums, tile, recipe);
    case Finish::Output::kInt32: return store_sums(sums, tile);
    default: return finish_tile<float>(sums, tile, recipe);
  }
}

/// What one block of rows and columns reads and writes.
struct Block {
  const int16_t* const* rows;
  const int64_t* offsets;
  const PairedWeights* weights;
  const Recipe* recipe;
  const int16_t* panel;  ///< the weights of the block's columns
  std::byte* target;
  int64_t stride;
  int64_t column;  ///< of the first one, in the Finish
  int64_t columns;
};

/// The results of kRows rows and one panel, or its first half.
template <int kRows, int kVectors>
void multiply_block(const Block& block) {
  const IntTag di;
  const ShortTag ds;
  IntVec sum[kRows][kVectors];
  IntVec odd[kRows][kVectors];
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; ++v) sum[r][v] = odd[r][v] = hn::Zero(di);
  }
  const int16_t* weights = block.panel;
  for (int64_t run = 0; run < block.weights->runs; ++run) {
    const int64_t offset = block.offsets[run];
    const int16_t* from[kRows];
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) from[r] = block.rows[r] + offset;
    for (int64_t k = 0; k < block.weights->pairs; ++k, weights += 4 * kLanes) {
      hn::Vec<ShortTag> weight[kVectors];
#pragma GCC unroll 2
      for (int v = 0; v < kVectors; ++v) weight[v] = hn::LoadU(ds, weights + 2 * v * kLanes);
#pragma GCC unroll 8
      for (int r = 0; r < kRows; ++r) {
        const auto pair = broadcast_pair(from[r] + 2 * k);
#pragma GCC unroll 2
        for (int v = 0; v < kVectors; ++v)
          sum[r][v] = hn::ReorderWidenMulAccumulate(di, pair, weight[v], sum[r][v], odd[r][v]);
      }
    }
  }
  HWY_ALIGN int32_t sums[kRows * kVectors * hn::MaxLanes(IntTag())];
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; ++v)
      hn::Store(hn::RearrangeToOddPlusEven(sum[r][v], odd[r][v]), di,
                sums + (r * kVectors + v) * kLanes);
  }
  finish_any(sums,
             {kRows, kVectors * kLanes, block.column,
              std::min<int64_t>(block.columns, kVectors * kLanes), block.target, block.stride},
             *block.recipe);
}

template <int kVectors>
void multiply_some(const Block& block, int64_t rows) {
  switch (rows) {
    case 1: return multiply_block<1, kVectors>(block);
    case 2: return multiply_block<2, kVectors>(block);
    case 3: return multiply_block<3, kVectors>(block);
    case 4: return multiply_block<4, kVectors>(block);
    case 5: return multiply_block<5, kVectors>(block);
    default: return multiply_block<6, kVectors>(block);
  }
}

void rows_any(const int16_t* const* rows, int64_t count, const int64_t* offsets,
              const PairedWeights& weights, const Finish& finish, const ProductTarget& target) {
  constexpr int64_t kGroup = 6;
  const auto width = static_cast<int64_t>(bytes_of(finish.output));
  const Recipe recipe(finish);
  for (int64_t first = 0; first < weights.columns; first += 2 * kLanes) {
    const int64_t columns = std::min<int64_t>(2 * kLanes, weights.columns - first);
    for (int64_t row = 0; row < count; row += kGroup) {
      const Block block{rows + row,
                        offsets,
                        &weights,
                        &recipe,
                        weights.values.data() + first * weights.runs * weights.pairs * 2,
                        target.target + row * target.stride + first * width,
                        target.stride,
                        target.first + first,
                        columns};
      if (columns > kLanes) {
        multiply_some<2>(block, count - row);
      } else {
        multiply_some<1>(block, count - row);
      }
    }
  }
}

template <int kPixels>
void depthwise_block(const DepthwiseRow& row, int64_t pixel, int64_t column, const Recipe& recipe,
                     std::byte* target) {
  const FloatTag d;
  FloatVec total[kPixels];
#pragma GCC unroll 8
  for (int p = 0; p < kPixels; ++p) total[p] = hn::Zero(d);
  const float* source = row.source + pixel * row.step + column;
  for (int64_t tap = 0; tap < row.taps; ++tap) {
    const auto weight = hn::LoadU(d, row.weights + tap * row.channels + column);
    const float* from = source + row.offsets[tap];
#pragma GCC unroll 8
    for (int p = 0; p < kPixels; ++p)
      total[p] = hn::MulAdd(hn::LoadU(d, from + p * row.step), weight, total[p]);
  }
  HWY_ALIGN float sums[kPixels * hn::MaxLanes(FloatTag())];
#pragma GCC unroll 8
  for (int p = 0; p < kPixels; ++p) hn::Store(total[p], d, sums + p * kLanes);
  const auto width = static_cast<int64_t>(bytes_of(recipe.finish->output));
  finish_any(sums,
             {kPixels, kLanes, column, kLanes, target + (pixel * row.channels + column) * width,
              row.channels * width},
             recipe);
}

/// Channels that do not fill a vector.
void depthwise_rest(const DepthwiseRow& row, int64_t first, const Recipe& recipe,
                    std::byte* target) {
  const auto width = static_cast<int64_t>(bytes_of(recipe.finish->output));
  for (int64_t p = 0; p < row.count; ++p) {
    HWY_ALIGN float total[hn::MaxLanes(FloatTag())] = {};
    for (int64_t tap = 0; tap < row.taps; ++tap) {
      const float* from = row.source + p * row.step + row.offsets[tap];
      for (int64_t c = first; c < row.channels; ++c)
        total[c - first] += from[c] * row.weights[tap * row.channels + c];
    }
    finish_any(total,
               {1, kLanes, first, row.channels - first, target + (p * row.channels + first) * width,
                row.channels * width},
               recipe);
  }
}

void depthwise_any(const DepthwiseRow& row, const Finish& finish, std::byte* target) {
  const Recipe recipe(finish);
  int64_t c = 0;
  for (; c + kLanes <= row.channels; c += kLanes) {
    int64_t p = 0;
    for (; p + 6 <= row.count; p += 6) depthwise_block<6>(row, p, c, recipe, target);
    for (; p + 2 <= row.count; p += 2) depthwise_block<2>(row, p, c, recipe, target);
    for (; p < row.count; ++p) depthwise_block<1>(row, p, c, recipe, target);
  }
  if (c < row.channels) depthwise_rest(row, c, recipe, target);
}

template <typename T>
void widen_short(const T* source, int64_t count, int32_t zero, int16_t* target) {
  const ShortTag d;
  const hn::Rebind<T, ShortTag> narrow;
  const auto shift = hn::Set(d, static_cast<int16_t>(zero));
  int64_t i = 0;
  for (; i + 2 * kLanes <= count; i += 2 * kLanes)
    hn::StoreU(hn::Sub(hn::PromoteTo(d, hn::LoadU(narrow, source + i)), shift), d, target + i);
  for (; i < count; ++i) target[i] = static_cast<int16_t>(source[i] - zero);
}

void widen_short_any(const uint8_t* source, int64_t count, int32_t zero, bool is_signed,
                     int16_t* target) {
  if (is_signed) return widen_short(reinterpret_cast<const int8_t*>(source), count, zero, target);
  widen_short(source, count, zero, target);
}

template <typename T>
void widen_float(const T* source, int64_t count, int32_t zero, float* target) {
  const IntTag d;
  const hn::Rebind<T, IntTag> narrow;
  const auto shift = hn::Set(d, zero);
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    const auto code = hn::PromoteTo(d, hn::LoadU(narrow, source + i));
    hn::StoreU(hn::ConvertTo(FloatTag(), hn::Sub(code, shift)), FloatTag(), target + i);
  }
  for (; i < count; ++i) target[i] = static_cast<float>(static_cast<int32_t>(source[i]) - zero);
}

void widen_float_any(const uint8_t* source, int64_t count, int32_t zero, bool is_signed,
                     float* target) {
  if (is_signed) return widen_float(reinterpret_cast<const int8_t*>(source), count, zero, target);
  widen_float(source, count, zero, target);
}

}  // namespace HWY_NAMESPACE
}  // namespace limbeck
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace limbeck {

HWY_EXPORT(panel_width);
HWY_EXPORT(rows_any);
HWY_EXPORT(depthwise_any);
HWY_EXPORT(widen_short_any);
HWY_EXPORT(widen_float_any);

int64_t panel_columns() { return HWY_DYNAMIC_DISPATCH(panel_width)(); }

void multiply_rows(const int16_t* const* rows, int64_t count, const int64_t* offsets,
                   const PairedWeights& weights, const Finish& finish,
                   const ProductTarget& target) {
  HWY_DYNAMIC_DISPATCH(rows_any)(rows, count, offsets, weights, finish, target);
}

void multiply_depthwise(const DepthwiseRow& row, const Finish& finish, std::byte* target) {
  HWY_DYNAMIC_DISPATCH(depthwise_any)(row, finish, target);
}

void widen_codes(const uint8_t* source, int64_t count, int32_t zero, bool is_signed,
                 int16_t* target) {
  HWY_DYNAMIC_DISPATCH(widen_short_any)(source, count, zero, is_signed, target);
}

void widen_codes(const uint8_t* source, int64_t count, int32_t zero, bool is_signed,
                 float* target) {
  HWY_DYNAMIC_DISPATCH(widen_float_any)(source, count, zero, is_signed, target);
}

}  // namespace limbeck
#endif
