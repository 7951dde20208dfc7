// Step sizes of weights, and what they ask of the node that reads them. Internal to lib/quantize.
#pragma once

#include <vector>

#include "lib/model/graph.h"
#include "lib/quantize/plan.h"

namespace limbeck {

/// Gemm's alpha and beta go into the weights and the bias, which the integer kernels expect. Other
/// nodes stay as they are.
void fold_gemm_factors(Graph& graph, Node* node);

/// One step size a channel, by the planned algorithm.
std::vector<float> weight_steps(const Node& node, const PlannedWeight& planned);

/// A bias is stored as int32 steps of input_scale * weight step: a channel of zero or tiny weights
/// takes a step at which its bias is neither out of range nor coarse. Steps never shrink, but for
/// channels of zeros.
void fit_steps_to_bias(const Node& node, const PlannedWeight& planned, float input_scale,
                       std::vector<float>* steps);

/// mean_shift of a node whose weights are rounded to these steps; `means` are its input's.
std::vector<double> rounding_shift(const Node& node, const PlannedWeight& planned,
                                   const std::vector<float>& steps,
                                   const std::vector<double>& means);

}  // namespace limbeck
