#include "calibration/sketch_loops.h"

// Highway compiles this file once an instruction set.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "calibration/sketch_loops.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>
#include <bit>
#include <cmath>

HWY_BEFORE_NAMESPACE();
namespace limbeck {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using FloatTag = hn::ScalableTag<float>;
using IntTag = hn::RebindToSigned<FloatTag>;

/// The bits of a float as an integer that orders like the float, -0 just below +0, and both
/// infinities and NaNs outside of all finite values: so one minimum and one maximum answer all
/// three questions.
hn::Vec<IntTag> ordered(hn::Vec<IntTag> bits) {
  const IntTag d;
  return hn::Xor(bits, hn::And(hn::ShiftRight<31>(bits), hn::Set(d, INT32_MAX)));
}

void find_keys(const float* values, size_t count, int32_t* smallest, int32_t* largest) {
  const IntTag d;
  const size_t lanes = hn::Lanes(d);
  auto low = hn::Set(d, INT32_MAX);
  auto high = hn::Set(d, INT32_MIN);
  size_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    const auto keys = ordered(hn::BitCast(d, hn::LoadU(FloatTag(), values + i)));
    low = hn::Min(low, keys);
    high = hn::Max(high, keys);
  }
  int32_t lowest = hn::GetLane(hn::MinOfLanes(d, low));
  int32_t highest = hn::GetLane(hn::MaxOfLanes(d, high));
  for (; i < count; ++i) {
    const auto word = std::bit_cast<int32_t>(values[i]);
    const int32_t key = word ^ ((word >> 31) & INT32_MAX);
    lowest = std::min(lowest, key);
    highest = std::max(highest, key);
  }
  *smallest = lowest;
  *largest = highest;
}

/// Truncates, then steps down where the value lies below the edge it was cut to. The comparison is
/// made on the value itself: the product with 1 / width may have vanished into zero.
void number(const float* values, size_t count, float inverse, float width, int32_t offset,
            int32_t* numbers) {
  const FloatTag d;
  const IntTag di;
  const size_t lanes = hn::Lanes(d);
  const auto inverses = hn::Set(d, inverse);
  const auto widths = hn::Set(d, width);
  const auto offsets = hn::Set(di, offset);
  size_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    const auto value = hn::LoadU(d, values + i);
    const auto whole = hn::ConvertTo(di, hn::Mul(value, inverses));
    const auto above = hn::Lt(value, hn::Mul(hn::ConvertTo(d, whole), widths));
    const auto down = hn::VecFromMask(di, hn::RebindMask(di, above));
    hn::StoreU(hn::Add(hn::Add(whole, down), offsets), di, numbers + i);
  }
  for (; i < count; ++i) {
    const auto whole = static_cast<int32_t>(values[i] * inverse);
    const int32_t down = values[i] < static_cast<float>(whole) * width ? 1 : 0;
    numbers[i] = whole - down + offset;
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace limbeck
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace limbeck {
namespace {

HWY_EXPORT(find_keys);
HWY_EXPORT(number);

float from_key(int32_t key) { return std::bit_cast<float>(key ^ ((key >> 31) & INT32_MAX)) + 0.0F; }

}  // namespace

Extremes find_extremes(std::span<const float> values) {
  int32_t smallest = 0;
  int32_t largest = 0;
  HWY_DYNAMIC_DISPATCH(find_keys)(values.data(), values.size(), &smallest, &largest);
  const Extremes result = {from_key(smallest), from_key(largest), true};
  if (std::isfinite(result.low) && std::isfinite(result.high)) return result;
  return {0, 0, false};
}

void number_bins(std::span<const float> values, int exponent, int32_t offset, int32_t* numbers) {
  HWY_DYNAMIC_DISPATCH(number)
  (values.data(), values.size(), std::ldexp(1.0F, -exponent), std::ldexp(1.0F, exponent), offset,
   numbers);
}

}  // namespace limbeck
#endif
