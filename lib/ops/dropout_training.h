// Dropout as training runs it (Srivastava et al. 2014, in the inverted form of ONNX).
#pragma once

#include <cstdint>
#include <string>

#include "lib/model/tensor.h"

namespace limbeck {

/// A seed derived from a seed and a number: unrelated bits for every pair (the finalizer of
/// SplitMix64, Steele, Lea and Flood 2014).
uint64_t derived_seed(uint64_t seed, uint64_t index);

/// Factors of `type` (float or double): 0 with probability `ratio`, 1 / (1 - ratio) otherwise.
/// The same seed gives the same mask on every machine. Raises kInvalidModel unless 0 <= ratio < 1.
Tensor dropout_mask(DataType type, const Dims& dims, double ratio, uint64_t seed,
                    const std::string& place);

/// x * mask; the gradient of x is dropout_apply(dy, mask).
Tensor dropout_apply(const Tensor& x, const Tensor& mask, const std::string& place);

}  // namespace limbeck
