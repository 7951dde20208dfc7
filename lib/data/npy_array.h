// NumPy's .npy format. Internal to lib/data.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "lib/model/tensor.h"

namespace limbeck {

/// The array in `bytes`, which `owner` keeps alive and the tensor shares; big-endian and
/// Fortran-order arrays are copied instead. Raises kData for damaged files and types other than
/// bool, integers, float16, float32 and float64.
Tensor parse_npy(std::span<const std::byte> bytes, std::shared_ptr<const void> owner,
                 const std::string& place);

/// Labels stored as an integer array of shape [n] or [n,1]. Raises kData.
std::vector<int64_t> labels_from_array(const Tensor& array, const std::string& place);

/// Reverses each group of `width` bytes.
void swap_bytes(std::span<std::byte> bytes, size_t width);

/// Product of dimensions times `element_size`; raises kData when a dimension is negative or the
/// product does not fit 62 bits.
int64_t checked_bytes(const Dims& dims, int64_t element_size, const std::string& place);

}  // namespace limbeck
