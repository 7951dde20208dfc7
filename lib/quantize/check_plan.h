// Does a plan, perhaps edited by hand, fit the model that it is applied to?
#pragma once

#include "lib/model/graph.h"
#include "lib/quantize/plan.h"

namespace limbeck {

/// Raises kUsage for a tensor or node of the plan that the graph lacks, for weights of a node that
/// has no constant ones or whose input the plan leaves in float, and for an axis outside them.
void check_plan(const Graph& graph, const Plan& plan);

}  // namespace limbeck
