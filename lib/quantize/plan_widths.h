// Where layers of one plan differ in width. Internal to lib/quantize.
#pragma once

#include "lib/model/model.h"
#include "lib/quantize/plan.h"

namespace limbeck {

/// Gives back 8 bits to what must not have fewer (PlanOptions::keep_ends, and kUint4 for
/// activations), with the reason. Nodes, tensors and groups of the plan are complete; what the user
/// set stays. A weighted node is first when no other one feeds it, and last when it feeds none; a
/// group of tensors has 4 bits when a weighted node in between reads one of them, and no first or
/// last one does.
void choose_widths(const Model& model, const PlanOptions& options, Plan* plan);

}  // namespace limbeck
