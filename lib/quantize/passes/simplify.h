// Exact simplifications of a float graph, run before calibration and quantization.
#pragma once

#include "lib/model/model.h"

namespace limbeck {

/// Runs every pass of passes.h to a fixed point. The model computes what it computed before, up to
/// the rounding of folded weights; graph inputs and outputs keep their names and order, and a
/// folded layer keeps the name of its last tensor, so that layers of the two models compare by
/// name. Subgraphs are left alone. Raises kInvalidModel where shapes contradict.
void simplify(Model& model);

}  // namespace limbeck
