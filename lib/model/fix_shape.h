// Numbers in place of open dimensions of a graph input.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lib/model/model.h"

namespace limbeck {

/// Sets every dimension of input `name`. Where a dimension was a symbol, the number takes its place
/// in the whole graph. Shapes that follow from it need infer_shapes afterwards. Raises kUsage when
/// there is no such input, the rank differs, a dimension is below one, or the model fixes it to
/// another number.
void fix_input_shape(Model* model, const std::string& name, const std::vector<int64_t>& dims);

}  // namespace limbeck
