// apply_plan(model, plan) -> Model: writes the decisions of a Plan into the graph as
// QuantizeLinear/DequantizeLinear pairs.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "calibration/calibration.h"
#include "lib/model/model.h"
#include "lib/quantize/plan.h"

namespace limbeck {

struct AppliedPlan {
  Model model;
  /// Pairs (tensor of the float model, value of the quantized model that stands for it), in graph
  /// order: for per-layer comparison. The value may hold codes (to_qoperator).
  std::vector<std::pair<std::string, std::string>> layers;
};

/// Step sizes that are known already, in place of those that ranges and algorithms give. Zero
/// points stay the plan's.
struct KnownSteps {
  std::map<std::string, float> activations;           ///< by tensor; a group's by its first tensor
  std::map<std::string, std::vector<float>> weights;  ///< by node, one a channel
};

/// `model` is the simplified float model that the plan was made for, at an opset that the formats
/// need (13, or 21 for 4-bit weights). The result has DequantizeLinear on int8/int4 weights, int32
/// biases with scale input * weight, and one QuantizeLinear/DequantizeLinear pair per planned
/// activation. Activations that the quantizer's saturation repeats (Relu, Clip) are removed. Raises
/// kUsage when the plan names tensors or nodes that the model lacks.
///
/// `means` (CalibrationTable::means) feed bias correction where the plan asks for it
/// (Plan::correct_bias): rounding the weights shifts the mean of an output channel by sum (Wq - W)
/// E[x], and the bias takes that shift back (M. Nagel et al., Data-Free Quantization Through Weight
/// Equalization and Bias Correction, ICCV 2019, section 4.2). Nodes whose input has no means keep
/// their bias.
AppliedPlan apply_plan(const Model& model, const Plan& plan, const ChannelMeans& means = {},
                       const KnownSteps& steps = {});

}  // namespace limbeck
