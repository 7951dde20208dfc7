// What pools and their gradients share. Internal to lib/ops.
#pragma once

#include "lib/ops/window.h"

namespace limbeck {

/// The windows of a pool over an input of `dims`. Raises kInvalidModel.
Windows pool_windows(WindowAttributes window, const Dims& dims, const std::string& place);

/// Elements that the window of each output averages over.
std::vector<float> window_counts(const Windows& windows, bool with_padding);

}  // namespace limbeck
