// 16-bit floating formats. Internal to lib/ops.
#pragma once

#include <cstdint>

namespace limbeck {

/// Nearest IEEE half, ties to even; overflow becomes infinity.
uint16_t half_from_float(float value);
/// Nearest bfloat16, ties to even.
uint16_t bfloat16_from_float(float value);

}  // namespace limbeck
