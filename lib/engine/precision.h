// What the products of a training step are made of.
#pragma once

namespace limbeck {

enum class Precision {
  kFloat,     ///< FP32 throughout
  kBfloat16,  ///< factors rounded to bfloat16 (nearest, ties to even), products summed in FP32
};

/// "fp32", "bf16".
inline const char* precision_name(Precision precision) {
  return precision == Precision::kFloat ? "fp32" : "bf16";
}

/// Whether the CPU multiplies bfloat16 itself (AVX512_BF16 or AMX); elsewhere factors are rounded
/// by other instructions and multiplied in FP32: the same values up to the order of additions, and
/// no faster than FP32.
bool multiplies_bfloat16();

}  // namespace limbeck
