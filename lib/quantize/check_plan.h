// Does a plan, perhaps edited by hand, fit the model that it is applied to?
#pragma once

#include "lib/model/model.h"
#include "lib/quantize/plan.h"

namespace limbeck {

/// Raises kUsage for a tensor or node of the plan that the graph lacks or names otherwise, for
/// weights of a node that has no constant ones or whose input the plan leaves in float, for an axis
/// outside them, for integer nodes that have no integer form or no planned weights, for groups of
/// different types or ranges, and for tensors that must share a group and do not.
void check_plan(const Model& model, const Plan& plan);

}  // namespace limbeck
