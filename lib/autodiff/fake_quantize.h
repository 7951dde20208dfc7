// QuantizeLinear and DequantizeLinear as one step of a tape. Internal to lib/autodiff.
#pragma once

#include <unordered_map>
#include <unordered_set>

#include "lib/autodiff/step.h"
#include "lib/model/model.h"

namespace limbeck {

/// QuantizeLinear -> (Clip of the codes ->) DequantizeLinear with the same parameters: rounding to
/// the grid that a quantized model computes on. The step reads x, the scale and nothing else.
struct FakeQuantize {
  const Node* quantize = nullptr;
  const Node* clip = nullptr;  ///< null without
  const Node* dequantize = nullptr;
  float zero = 0;
  float low = 0;  ///< smallest code
  float high = 0;
  bool per_tensor = true;
  int64_t axis = 1;

  Value* x() const { return quantize->input(0); }
  Value* scale() const { return quantize->input(1); }
};

/// By DequantizeLinear node: float data, codes of 4, 8 or 32 bits that nothing else reads, constant
/// zero points that are all equal, no blocks. Values of `kept` are never hidden inside.
/// infer_shapes must have run.
std::unordered_map<const Node*, FakeQuantize> find_fake_quantize(
    const Model& model, const std::unordered_set<const Value*>& kept);

/// Inputs x and scale, output y; forward the bits of the nodes' kernels, backward the composition
/// of their gradients without its rounding: straight through where the code is not clipped
/// (Y. Bengio et al. 2013), and for the scale that of S. Esser et al., Learned Step Size
/// Quantization, ICLR 2020, equation 3: round(x / scale) - x / scale inside, the clipped code
/// outside. With one scale for all, the order of elements in memory does not matter.
std::unique_ptr<TapeStep> fake_quantize_step(const FakeQuantize& pair);

}  // namespace limbeck
