// What the quantized operators share: where parameters apply, and integers in 32-bit arithmetic.
// q = saturate(round_half_even(x / scale) + zero_point), x' = (q - zero_point) * scale.
// Internal to lib/ops.
#pragma once

#include <cmath>
#include <vector>

#include "lib/ops/common.h"
#include "lib/ops/gemm_core.h"

namespace limbeck {

/// A tensor seen as outer x axis x inner: one parameter for all, one an axis position, or one a
/// block of positions (opset 21).
struct QuantLayout {
  int64_t outer = 1;
  int64_t axis = 1;
  int64_t inner = 1;
  int64_t block = 0;  ///< 0: per tensor or per axis
  bool per_tensor = true;
};
/// Raises kInvalidModel when the scale's shape does not fit.
QuantLayout quant_layout(const Dims& x, const Dims& scale, int64_t axis, int64_t block,
                         const std::string& place);

/// Calls f(first element, count, first parameter, parameter step) for every run of elements.
template <typename F>
void for_each_quant_run(const QuantLayout& layout, F f) {
  if (layout.per_tensor) return f(0, layout.outer * layout.axis * layout.inner, 0, 0);
  const int64_t blocks = layout.block == 0 ? 0 : (layout.axis + layout.block - 1) / layout.block;
  for (int64_t o = 0; o < layout.outer; ++o) {
    for (int64_t a = 0; a < layout.axis; ++a) {
      const int64_t first = (o * layout.axis + a) * layout.inner;
      if (layout.block == 0) {
        f(first, layout.inner, a, 0);
      } else {
        f(first, layout.inner, (o * blocks + a / layout.block) * layout.inner, 1);
      }
    }
  }
}

/// Finite float step sizes above zero of a scale input; raises kInvalidModel otherwise.
std::vector<float> read_scales(const Tensor& scale, const std::string& place);
/// Zero points as integers; `count` zeros when the input is absent.
std::vector<int32_t> read_zero_points(const Tensor* zero, size_t count, const std::string& place);

/// Smallest and largest code of an integer type of up to 16 bits; raises kUnsupported otherwise.
struct CodeRange {
  int32_t lowest = 0;
  int32_t highest = 0;
};
CodeRange code_range(DataType type, const std::string& place);
/// The same for what QuantizeLinear writes, int32 included.
CodeRange written_code_range(DataType type, const std::string& place);

/// `value` is already divided by the step. NaN gives the zero point.
inline int32_t to_code(float value, int32_t zero, const CodeRange& range) {
  const float shifted = std::nearbyintf(value) + static_cast<float>(zero);
  if (shifted >= static_cast<float>(range.highest)) return range.highest;
  if (shifted <= static_cast<float>(range.lowest)) return range.lowest;
  return std::isnan(shifted) ? zero : static_cast<int32_t>(shifted);
}

/// Codes as a tensor of `type`, 4-bit types packed.
Tensor store_codes(DataType type, const Dims& dims, const std::vector<int32_t>& codes,
                   const std::string& place);

/// 8-bit elements minus zero points: `zeros` has one item, or one for each of the rows of
/// `row` elements, repeating (per-channel).
std::vector<WrappingInt> centred(const Tensor& tensor, const std::vector<int32_t>& zeros,
                                 int64_t row, const std::string& place);

}  // namespace limbeck
