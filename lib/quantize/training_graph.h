// A plan written as a graph that trains: quantization-aware training sees the arithmetic that is
// emitted.
#pragma once

#include <string>
#include <vector>

#include "lib/model/model.h"
#include "lib/quantize/apply.h"
#include "lib/quantize/plan.h"

namespace limbeck {

/// A step size that trains. The graph computes
///   step = initial * Exp(Clip(rate * exponent, -kWidest, kWidest))
/// from the parameter `exponent`, which starts at zero: whatever an optimizer does to it, the step
/// stays finite and above zero. `rate` makes a gradient step of size r on the exponent move the
/// step, to first order, as one of size r / sqrt(count * largest_code) on the step itself would:
/// rate = (count * largest_code)^(-1/4) / initial (the gradient scale of S. Esser et al., Learned
/// Step Size Quantization, ICLR 2020, section 2.2). One item a channel for weights.
struct LearnedStep {
  static constexpr float kWidest = 8;  ///< steps move by at most a factor of exp(8), about 2981

  std::string exponent;  ///< name of the constant that trains
  std::string step;      ///< name of the value that it gives
  bool is_weight = false;
  std::string owner;  ///< the node that reads the weights, or the first tensor of the group
  std::vector<float> initial;
  std::vector<float> rate;

  /// The steps for these exponents: the bits that the graph computes.
  std::vector<float> values(const Tensor& exponents) const;
};

struct TrainingGraph {
  Model model;
  std::vector<LearnedStep> steps;
};

/// The graph that apply_plan writes, with three differences. Weights stay in float behind
/// QuantizeLinear, Clip of the codes to the plan's limit, and DequantizeLinear; they are int8 codes
/// there, whatever the plan stores them in. Biases stay in float behind a QuantizeLinear to int32
/// (which only limbeck has) and DequantizeLinear by input scale times weight scale, unless they
/// have one number for all channels; they are not corrected. Step sizes are learned, zero points
/// are not; so a Clip whose bound lies within the codes now, and may not later, stays. Arguments as
/// for apply_plan; node and constant names stay.
TrainingGraph training_graph(const Model& model, const Plan& plan);

}  // namespace limbeck
