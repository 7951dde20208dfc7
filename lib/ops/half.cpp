#include "lib/ops/half.h"

#include <bit>
#include <cmath>

namespace limbeck {

uint16_t half_from_float(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  const uint32_t sign = (bits >> 16) & 0x8000U;
  if (std::isnan(value)) return static_cast<uint16_t>(sign | 0x7E00U);
  const float magnitude = std::fabs(value);
  if (magnitude >= 65520.0F) return static_cast<uint16_t>(sign | 0x7C00U);
  if (magnitude < 6.103515625e-05F) {  // subnormal: multiples of 2^-24
    return static_cast<uint16_t>(sign |
                                 static_cast<uint32_t>(std::nearbyint(magnitude * 16777216.0F)));
  }
  const uint32_t rebased = (bits & 0x7FFFFFFFU) - (112U << 23);
  const uint32_t rounded = rebased + 0xFFFU + ((rebased >> 13) & 1U);
  return static_cast<uint16_t>(sign | (rounded >> 13));
}

namespace {

/// Bits of a float to those of the nearest one that ends in sixteen zeros. Without branches, so
/// that loops become vector instructions.
uint32_t round_to_bfloat16(uint32_t bits) {
  const uint32_t rounded = bits + 0x7FFFU + ((bits >> 16) & 1U);
  const uint32_t quiet = bits | 0x400000U;
  const bool nan = (bits & 0x7FFFFFFFU) > 0x7F800000U;
  return (nan ? quiet : rounded) & 0xFFFF0000U;
}

}  // namespace

uint16_t bfloat16_from_float(float value) {
  return static_cast<uint16_t>(round_to_bfloat16(std::bit_cast<uint32_t>(value)) >> 16);
}

Tensor rounded_to_bfloat16(const Tensor& values) {
  Tensor result = Tensor::allocate(DataType::kFloat, values.dims());
  const auto from = values.as<float>();
  const auto to = result.mutable_as<float>();
  for (size_t i = 0; i < to.size(); ++i)
    to[i] = std::bit_cast<float>(round_to_bfloat16(std::bit_cast<uint32_t>(from[i])));
  return result;
}

Tensor pack_halves(DataType type, Dims dims, const std::vector<float>& values) {
  Tensor result = Tensor::allocate(type, std::move(dims));
  auto* target = reinterpret_cast<uint16_t*>(result.mutable_raw());
  for (size_t i = 0; i < values.size(); ++i) {
    target[i] =
        type == DataType::kFloat16 ? half_from_float(values[i]) : bfloat16_from_float(values[i]);
  }
  return result;
}

}  // namespace limbeck
