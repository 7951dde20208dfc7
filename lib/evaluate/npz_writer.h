// NumPy archives in memory: a ZIP file of uncompressed .npy members. Internal to lib/evaluate.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "lib/model/tensor.h"

namespace limbeck {

/// Bytes of an .npz file with the arrays under their names, always the same for the same arrays.
/// Types that NumPy lacks (bfloat16, 4-bit) become float32. Raises kUnsupported above 4 GiB.
std::string npz_bytes(const std::vector<std::pair<std::string, Tensor>>& arrays);

}  // namespace limbeck
