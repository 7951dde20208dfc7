#include "lib/engine/integer_loops.h"

// Highway compiles this file once an instruction set.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "lib/engine/integer_loops.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace limbeck {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using FloatTag = hn::ScalableTag<float>;
using IntTag = hn::RebindToSigned<FloatTag>;
using FloatVec = hn::Vec<FloatTag>;
/// Beyond every 8-bit result, and exactly representable as int32.
constexpr float kSafe = 1048576.0F;

template <typename T>
FloatVec load_real(const T* source, FloatVec scale, hn::Vec<IntTag> zero) {
  const hn::Rebind<T, FloatTag> narrow;
  const auto stored = hn::PromoteTo(IntTag(), hn::LoadU(narrow, source));
  return hn::Mul(hn::ConvertTo(FloatTag(), hn::Sub(stored, zero)), scale);
}

template <typename T>
void store_quantized(FloatVec real, FloatVec scale, hn::Vec<IntTag> zero, T* target) {
  const FloatTag d;
  const auto steps = hn::Clamp(hn::Div(real, scale), hn::Set(d, -kSafe), hn::Set(d, kSafe));
  const hn::Rebind<T, FloatTag> narrow;
  hn::StoreU(hn::DemoteTo(narrow, hn::Add(hn::NearestInt(steps), zero)), narrow, target);
}

/// Runs body(offset) for whole vectors, then once more on copies of the rest through `tail`.
template <typename Body, typename Tail>
void for_vectors(int64_t count, const Body& body, const Tail& tail) {
  const auto lanes = static_cast<int64_t>(hn::Lanes(FloatTag()));
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes) body(i);
  if (i < count) tail(i, count - i);
}

template <typename T>
void quantize_typed(const float* source, T* target, int64_t count, const QuantParams& params) {
  const FloatTag d;
  const auto scale = hn::Set(d, params.scale);
  const auto zero = hn::Set(IntTag(), params.zero);
  for_vectors(
      count, [&](int64_t i) { store_quantized(hn::LoadU(d, source + i), scale, zero, target + i); },
      [&](int64_t i, int64_t rest) {
        HWY_ALIGN float in[hn::MaxLanes(FloatTag())] = {};
        HWY_ALIGN T out[hn::MaxLanes(FloatTag())];
        for (int64_t k = 0; k < rest; ++k) in[k] = source[i + k];
        store_quantized(hn::Load(d, in), scale, zero, out);
        for (int64_t k = 0; k < rest; ++k) target[i + k] = out[k];
      });
}

template <typename T>
void dequantize_typed(const T* source, float* target, int64_t count, const QuantParams& params) {
  const FloatTag d;
  const auto scale = hn::Set(d, params.scale);
  const auto zero = hn::Set(IntTag(), params.zero);
  for_vectors(
      count, [&](int64_t i) { hn::StoreU(load_real(source + i, scale, zero), d, target + i); },
      [&](int64_t i, int64_t rest) {
        for (int64_t k = i; k < i + rest; ++k) {
          target[k] =
              static_cast<float>(static_cast<int32_t>(source[k]) - params.zero) * params.scale;
        }
      });
}

template <typename L, typename R, typename T>
struct BinaryLoop {
  explicit BinaryLoop(const QuantizedBinary& op)
      : left_scale(hn::Set(d, op.left.scale)),
        right_scale(hn::Set(d, op.right.scale)),
        result_scale(hn::Set(d, op.result.scale)),
        low(hn::Set(d, op.low)),
        high(hn::Set(d, op.high)),
        left_zero(hn::Set(di, op.left.zero)),
        right_zero(hn::Set(di, op.right.zero)),
        result_zero(hn::Set(di, op.result.zero)),
        multiply(op.multiply) {}

  FloatVec right_real(const R* right) const { return load_real(right, right_scale, right_zero); }
  void one(const L* left, FloatVec b, T* target) const {
    const auto a = load_real(left, left_scale, left_zero);
    const auto real = multiply ? hn::Mul(a, b) : hn::Add(a, b);
    store_quantized(hn::Min(hn::Max(real, low), high), result_scale, result_zero, target);
  }

  FloatTag d;
  IntTag di;
  FloatVec left_scale, right_scale, result_scale, low, high;
  hn::Vec<IntTag> left_zero, right_zero, result_zero;
  bool multiply;
};

template <typename L, typename R, typename T>
void binary_typed(const uint8_t* left_bytes, const uint8_t* right_bytes, int64_t right_step,
                  uint8_t* target_bytes, int64_t count, const QuantizedBinary& op) {
  const auto* left = reinterpret_cast<const L*>(left_bytes);
  const auto* right = reinterpret_cast<const R*>(right_bytes);
  auto* target = reinterpret_cast<T*>(target_bytes);
  const BinaryLoop<L, R, T> loop(op);
  constexpr size_t kLanes = hn::MaxLanes(FloatTag());
  HWY_ALIGN L left_rest[kLanes] = {};
  HWY_ALIGN R right_rest[kLanes] = {};
  HWY_ALIGN T out[kLanes];
  if (right_step == 0) {
    for (R& value : right_rest) value = right[0];
  }
  for_vectors(
      count,
      [&](int64_t i) {
        loop.one(left + i, loop.right_real(right_step == 0 ? right_rest : right + i), target + i);
      },
      [&](int64_t i, int64_t rest) {
        for (int64_t k = 0; k < rest; ++k) {
          left_rest[k] = left[i + k];
          right_rest[k] = right[(i + k) * right_step];
        }
        loop.one(left_rest, loop.right_real(right_rest), out);
        for (int64_t k = 0; k < rest; ++k) target[i + k] = out[k];
      });
}

void quantize_any(const float* source, uint8_t* target, int64_t count, const QuantParams& params) {
  if (params.is_signed)
    return quantize_typed(source, reinterpret_cast<int8_t*>(target), count, params);
  quantize_typed(source, target, count, params);
}

void dequantize_any(const uint8_t* source, float* target, int64_t count,
                    const QuantParams& params) {
  if (params.is_signed)
    return dequantize_typed(reinterpret_cast<const int8_t*>(source), target, count, params);
  dequantize_typed(source, target, count, params);
}

template <typename L, typename R>
void binary_result(const uint8_t* left, const uint8_t* right, int64_t step, uint8_t* target,
                   int64_t count, const QuantizedBinary& op) {
  if (op.result.is_signed) return binary_typed<L, R, int8_t>(left, right, step, target, count, op);
  binary_typed<L, R, uint8_t>(left, right, step, target, count, op);
}

template <typename L>
void binary_left(const uint8_t* left, const uint8_t* right, int64_t step, uint8_t* target,
                 int64_t count, const QuantizedBinary& op) {
  if (op.right.is_signed) return binary_result<L, int8_t>(left, right, step, target, count, op);
  binary_result<L, uint8_t>(left, right, step, target, count, op);
}

void binary_any(const uint8_t* left, const uint8_t* right, int64_t step, uint8_t* target,
                int64_t count, const QuantizedBinary& op) {
  if (op.left.is_signed) return binary_left<int8_t>(left, right, step, target, count, op);
  binary_left<uint8_t>(left, right, step, target, count, op);
}

template <typename T>
void sum_typed(const T* source, int32_t* sums, int64_t rows, int64_t channels) {
  const IntTag d;
  const hn::Rebind<T, IntTag> narrow;
  for (int64_t r = 0; r < rows; ++r) {
    const T* row = source + r * channels;
    for_vectors(
        channels,
        [&](int64_t c) {
          hn::StoreU(hn::Add(hn::LoadU(d, sums + c), hn::PromoteTo(d, hn::LoadU(narrow, row + c))),
                     d, sums + c);
        },
        [&](int64_t c, int64_t rest) {
          for (int64_t k = c; k < c + rest; ++k) sums[k] += row[k];
        });
  }
}

void sum_any(const uint8_t* source, int32_t* sums, int64_t rows, int64_t channels, bool is_signed) {
  if (is_signed) return sum_typed(reinterpret_cast<const int8_t*>(source), sums, rows, channels);
  sum_typed(source, sums, rows, channels);
}

}  // namespace HWY_NAMESPACE
}  // namespace limbeck
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace limbeck {

HWY_EXPORT(quantize_any);
HWY_EXPORT(dequantize_any);
HWY_EXPORT(binary_any);
HWY_EXPORT(sum_any);

void quantize_values(const float* source, uint8_t* target, int64_t count,
                     const QuantParams& params) {
  HWY_DYNAMIC_DISPATCH(quantize_any)(source, target, count, params);
}

void dequantize_values(const uint8_t* source, float* target, int64_t count,
                       const QuantParams& params) {
  HWY_DYNAMIC_DISPATCH(dequantize_any)(source, target, count, params);
}

void binary_values(const uint8_t* left, const uint8_t* right, uint8_t* target, int64_t count,
                   const QuantizedBinary& op) {
  HWY_DYNAMIC_DISPATCH(binary_any)(left, right, 1, target, count, op);
}

void binary_value(const uint8_t* left, uint8_t right, uint8_t* target, int64_t count,
                  const QuantizedBinary& op) {
  HWY_DYNAMIC_DISPATCH(binary_any)(left, &right, 0, target, count, op);
}

void sum_rows(const uint8_t* source, int32_t* sums, int64_t rows, int64_t channels,
              bool is_signed) {
  HWY_DYNAMIC_DISPATCH(sum_any)(source, sums, rows, channels, is_signed);
}

}  // namespace limbeck
#endif
