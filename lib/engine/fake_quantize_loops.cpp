#include "lib/engine/fake_quantize_loops.h"

// Highway compiles this file once an instruction set.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "lib/engine/fake_quantize_loops.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>

HWY_BEFORE_NAMESPACE();
namespace limbeck {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using FloatTag = hn::ScalableTag<float>;
using FloatVec = hn::Vec<FloatTag>;

/// Elements whose gradients are summed in float before they join the sum in double.
constexpr int64_t kBlock = 512;

struct Loop {
  explicit Loop(const FakeQuantizeParams& params)
      : zero(hn::Set(d, params.zero)), low(hn::Set(d, params.low)), high(hn::Set(d, params.high)) {}

  FloatVec shifted(FloatVec steps) const { return hn::Add(hn::Round(steps), zero); }
  /// Codes minus the zero point; zero for a NaN.
  FloatVec centred(FloatVec shifted) const {
    const auto codes = hn::Sub(hn::Min(hn::Max(shifted, low), high), zero);
    return hn::IfThenElse(hn::Eq(shifted, shifted), codes, hn::Zero(d));
  }
  FloatVec value(FloatVec x, FloatVec scale) const {
    return hn::Mul(centred(shifted(hn::Div(x, scale))), scale);
  }
  /// dx, and in `*slope` the share of the scale.
  FloatVec gradient(FloatVec x, FloatVec dy, FloatVec scale, FloatVec* slope) const {
    const auto steps = hn::Div(x, scale);
    const auto codes = shifted(steps);
    const auto inside = hn::And(hn::Ge(codes, low), hn::Le(codes, high));
    const auto rounding = hn::Sub(centred(codes), hn::IfThenElseZero(inside, steps));
    *slope = hn::Mul(dy, rounding);
    return hn::IfThenElseZero(inside, dy);
  }

  FloatTag d;
  FloatVec zero, low, high;
};

constexpr size_t kLanes = hn::MaxLanes(FloatTag());

/// A part of a vector, filled up with zeros.
FloatVec load_rest(const float* source, int64_t count) {
  HWY_ALIGN float rest[kLanes] = {};
  std::copy_n(source, count, rest);
  return hn::Load(FloatTag(), rest);
}

void store_rest(FloatVec value, float* target, int64_t count) {
  HWY_ALIGN float rest[kLanes];
  hn::Store(value, FloatTag(), rest);
  std::copy_n(rest, count, target);
}

void values(const float* x, float* y, int64_t count, const FakeQuantizeParams& params) {
  const Loop loop(params);
  const auto lanes = static_cast<int64_t>(hn::Lanes(loop.d));
  const auto scale = hn::Set(loop.d, params.scale);
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes)
    hn::StoreU(loop.value(hn::LoadU(loop.d, x + i), scale), loop.d, y + i);
  if (i < count) store_rest(loop.value(load_rest(x + i, count - i), scale), y + i, count - i);
}

void rows(const float* x, float* y, int64_t row_count, int64_t columns, const float* scales,
          const FakeQuantizeParams& params) {
  const Loop loop(params);
  const auto lanes = static_cast<int64_t>(hn::Lanes(loop.d));
  for (int64_t r = 0; r < row_count; ++r, x += columns, y += columns) {
    int64_t i = 0;
    for (; i + lanes <= columns; i += lanes) {
      const auto scale = hn::LoadU(loop.d, scales + i);
      hn::StoreU(loop.value(hn::LoadU(loop.d, x + i), scale), loop.d, y + i);
    }
    const int64_t rest = columns - i;
    if (rest > 0)
      store_rest(loop.value(load_rest(x + i, rest), load_rest(scales + i, rest)), y + i, rest);
  }
}

double gradient(const float* x, const float* dy, float* dx, int64_t count,
                const FakeQuantizeParams& params) {
  const Loop loop(params);
  const auto lanes = static_cast<int64_t>(hn::Lanes(loop.d));
  const auto scale = hn::Set(loop.d, params.scale);
  double sum = 0;
  auto slope = hn::Zero(FloatTag());
  for (int64_t first = 0; first < count; first += kBlock) {
    const int64_t last = std::min(count, first + kBlock);
    auto block = hn::Zero(loop.d);
    int64_t i = first;
    for (; i + lanes <= last; i += lanes) {
      const auto part =
          loop.gradient(hn::LoadU(loop.d, x + i), hn::LoadU(loop.d, dy + i), scale, &slope);
      block = hn::Add(block, slope);
      if (dx != nullptr) hn::StoreU(part, loop.d, dx + i);
    }
    if (i < last) {
      const auto part =
          loop.gradient(load_rest(x + i, last - i), load_rest(dy + i, last - i), scale, &slope);
      block = hn::Add(block, slope);
      if (dx != nullptr) store_rest(part, dx + i, last - i);
    }
    sum += static_cast<double>(hn::GetLane(hn::SumOfLanes(loop.d, block)));
  }
  return sum;
}

/// One vector of a row: `count` columns of it count.
void gradient_part(const Loop& loop, const float* x, const float* dy, float* dx,
                   const float* scales, double* sums, int64_t count) {
  auto slope = hn::Zero(FloatTag());
  // Columns beyond the row divide zero by zero: a NaN, which is dropped.
  const auto part =
      loop.gradient(load_rest(x, count), load_rest(dy, count), load_rest(scales, count), &slope);
  HWY_ALIGN float slopes[kLanes];
  hn::Store(slope, loop.d, slopes);
  for (int64_t k = 0; k < count; ++k) sums[k] += static_cast<double>(slopes[k]);
  if (dx != nullptr) store_rest(part, dx, count);
}

void gradient_rows(const float* x, const float* dy, float* dx, int64_t row_count, int64_t columns,
                   const float* scales, double* sums, const FakeQuantizeParams& params) {
  const Loop loop(params);
  const auto lanes = static_cast<int64_t>(hn::Lanes(loop.d));
  for (int64_t r = 0; r < row_count; ++r) {
    for (int64_t i = 0; i < columns; i += lanes) {
      const int64_t at = r * columns + i;
      gradient_part(loop, x + at, dy + at, dx == nullptr ? nullptr : dx + at, scales + i, sums + i,
                    std::min(lanes, columns - i));
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace limbeck
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace limbeck {

HWY_EXPORT(values);
HWY_EXPORT(rows);
HWY_EXPORT(gradient);
HWY_EXPORT(gradient_rows);

void fake_quantize_values(const float* x, float* y, int64_t count,
                          const FakeQuantizeParams& params) {
  HWY_DYNAMIC_DISPATCH(values)(x, y, count, params);
}

void fake_quantize_rows(const float* x, float* y, int64_t rows, int64_t columns,
                        const float* scales, const FakeQuantizeParams& params) {
  HWY_DYNAMIC_DISPATCH(rows)(x, y, rows, columns, scales, params);
}

double fake_quantize_gradient(const float* x, const float* dy, float* dx, int64_t count,
                              const FakeQuantizeParams& params) {
  return HWY_DYNAMIC_DISPATCH(gradient)(x, dy, dx, count, params);
}

void fake_quantize_gradient_rows(const float* x, const float* dy, float* dx, int64_t rows,
                                 int64_t columns, const float* scales, double* sums,
                                 const FakeQuantizeParams& params) {
  HWY_DYNAMIC_DISPATCH(gradient_rows)(x, dy, dx, rows, columns, scales, sums, params);
}

}  // namespace limbeck
#endif
