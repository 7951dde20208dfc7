// Scalar arithmetic that is defined for every input. Internal to lib/ops.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

namespace limbeck {

/// Integers wrap, as in numpy and in the integer units.
template <typename T>
T wrapping_add(T x, T y) {
  if constexpr (std::is_floating_point_v<T>)
    return x + y;
  else
    return static_cast<T>(static_cast<uint64_t>(x) + static_cast<uint64_t>(y));
}

template <typename T>
T wrapping_multiply(T x, T y) {
  if constexpr (std::is_floating_point_v<T>)
    return x * y;
  else
    return static_cast<T>(static_cast<uint64_t>(x) * static_cast<uint64_t>(y));
}

/// The larger of two; NaN wins, as in numpy.
template <typename T>
T larger(T x, T y) {
  if constexpr (std::is_floating_point_v<T>)
    return x >= y || x != x ? x : y;
  else
    return x >= y ? x : y;
}

template <typename T>
T smaller(T x, T y) {
  if constexpr (std::is_floating_point_v<T>)
    return x <= y || x != x ? x : y;
  else
    return x <= y ? x : y;
}

/// Conversion towards zero that clamps to the range of To; NaN becomes 0.
template <typename To, typename From>
To saturating_cast(From value) {
  if constexpr (std::is_floating_point_v<To> || !std::is_floating_point_v<From>) {
    return static_cast<To>(value);
  } else {
    if (std::isnan(value)) return To{0};
    constexpr auto kLow = static_cast<From>(std::numeric_limits<To>::lowest());
    constexpr auto kHigh =
        static_cast<From>(std::numeric_limits<To>::max());  // may round up: compare with >=
    if (value <= kLow) return std::numeric_limits<To>::lowest();
    if (value >= kHigh) return std::numeric_limits<To>::max();
    return static_cast<To>(value);
  }
}

/// Nearest integer, ties to even. Exact for |value| < 2^22, and vectorises everywhere.
inline float round_small(float value) {
  constexpr float kMagic = 12582912.0F;  // 1.5 * 2^23: one unit in the last place is 1
  return (value + kMagic) - kMagic;
}

}  // namespace limbeck
