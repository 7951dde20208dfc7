// What Softmax, LogSoftmax and their gradients share. Internal to lib/ops.
#pragma once

#include "lib/ops/common.h"

namespace limbeck {

/// Before opset 13 everything from the axis on is one row; from 13 on only the axis itself.
struct SoftmaxRows {
  int64_t outer = 1;
  int64_t length = 1;
  int64_t inner = 1;
};

SoftmaxRows softmax_rows(const Dims& dims, int64_t axis, bool flattens, const std::string& place);

}  // namespace limbeck
