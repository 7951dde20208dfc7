// The textual header of .npy files. Internal to lib/data.
#pragma once

#include <string>
#include <string_view>

#include "lib/model/tensor.h"

namespace limbeck {

struct NpyHeader {
  /// For example "<f4".
  std::string descr;
  bool fortran_order = false;
  Dims shape;
};

/// Parses the Python dictionary that NumPy writes. Raises kData.
NpyHeader parse_npy_header(std::string_view text, const std::string& place);

}  // namespace limbeck
