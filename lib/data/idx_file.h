// The IDX format of MNIST and its relatives. Internal to lib/data.
#pragma once

#include <filesystem>
#include <vector>

#include "lib/model/tensor.h"

namespace limbeck {

/// The array of a plain or gzip IDX file in the machine's byte order: uint8, int8, int16, int32,
/// float or double. Raises kIo, and kData for damaged files.
Tensor read_idx(const std::filesystem::path& path);

}  // namespace limbeck
