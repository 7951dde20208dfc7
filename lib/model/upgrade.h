// Rewrites a model for a newer opset of the default domain, operator by operator.
#pragma once

#include <cstdint>

#include "lib/model/model.h"

namespace limbeck {

/// The newest opset whose changes the upgrade table knows.
inline constexpr int64_t kNewestUpgrade = 21;

/// Afterwards the model imports at least opset `target` and computes what it computed before, under
/// the same tensor names; other domains are untouched. A model that is as new already stays as it
/// is. The IR version follows the opset. Known shapes help (a Softmax over the last axis needs no
/// reshaping), none is required. Raises kUnsupported, naming the node, where an operator has no
/// equivalent, is unknown, or stands in a subgraph or function and would have to change; the model
/// is then half rewritten and must not be used.
void upgrade_opset(Model& model, int64_t target);

}  // namespace limbeck
