#include "lib/quantize/weight_steps.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "lib/quantize/affine.h"
#include "lib/quantize/mean_shift.h"

namespace limbeck {

void fold_gemm_factors(Graph& graph, Node* node) {
  if (node->op_type() != "Gemm") return;
  const auto scaled = [&](size_t index, const char* attribute) {
    const float factor = node->float_attribute(attribute, 1.0F);
    Value* input = node->input(index);
    node->remove_attribute(attribute);
    if (input == nullptr || factor == 1.0F) return;
    Tensor tensor = input->constant()->clone();
    for (float& item : tensor.mutable_as<float>()) item *= factor;
    graph.set_input(node, index,
                    graph.add_initializer(input->name() + "_folded", std::move(tensor)));
  };
  scaled(1, "alpha");
  scaled(2, "beta");
}

std::vector<float> weight_steps(const Node& node, const PlannedWeight& planned) {
  return channel_scales(*node.input(1)->constant(), planned.axis, code_limit(planned),
                        planned.algorithm == "mse");
}

void fit_steps_to_bias(const Node& node, const PlannedWeight& planned, float input_scale,
                       std::vector<float>* steps) {
  constexpr float kLargestCode = 1073741824.0F;  // 2^30
  constexpr float kFineCode = 65536.0F;
  if (node.input(2) == nullptr) return;
  // Largest magnitudes; one for an all-zero channel.
  const auto largest = channel_scales(*node.input(1)->constant(), planned.axis, 1, false);
  const std::vector<float> values = node.input(2)->constant()->to_float();
  for (size_t i = 0; i < steps->size(); ++i) {
    float magnitude = 0;
    for (size_t k = values.size() == 1 ? 0 : i; k < values.size(); k += steps->size())
      magnitude = std::max(magnitude, std::fabs(values[k]));
    const float smallest = magnitude / (input_scale * kLargestCode);
    (*steps)[i] = std::max((*steps)[i], smallest);
    const bool dead = (*steps)[i] == 1.0F && largest[i] == 1.0F;
    if (dead && magnitude > 0) (*steps)[i] = magnitude / (input_scale * kFineCode);
  }
}

std::vector<double> rounding_shift(const Node& node, const PlannedWeight& planned,
                                   const std::vector<float>& steps,
                                   const std::vector<double>& means) {
  const Tensor& weights = *node.input(1)->constant();
  const auto codes = quantize_channels(weights, planned.axis, steps, code_limit(planned));
  return mean_shift(node, means, weights, codes, planned.axis, steps);
}

}  // namespace limbeck
