// Convolution and transposed convolution, in float and in int8, with what follows them fused.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lib/engine/post_op.h"
#include "lib/engine/step.h"

namespace limbeck::onednn {

/// Integer arithmetic of a fused QDQ pattern. With a: accumulator of (q_x - x_zero) * q_w, one
/// output channel c: result = post_ops(scales[c] * (a + bias[c])) * requantize + y_zero, rounded
/// half to even and saturated for 8-bit outputs.
struct Requantization {
  std::vector<float> scales;  ///< one an output channel, or a single one for all
  int32_t input_zero = 0;
  int32_t output_zero = 0;
  /// Factor after the post-operations; 1 when it is folded into scales.
  float requantize = 1;
  /// Real value of one unit of the scaled accumulator: 1 when `requantize` is used, the output's
  /// step when folded.
  float unit = 1;
  DataType output_type = DataType::kFloat;
};

struct ConvolutionSpec {
  std::string place;
  bool transposed = false;
  /// float or int8. Conv: O x I/g x kernel; ConvTranspose: I x O/g x kernel.
  Tensor weights;
  /// float, one an output channel; empty for none. With `quantized`: in units of the accumulator.
  Tensor bias;
  int64_t groups = 1;
  Dims strides;
  Dims dilations;
  /// All begins, then all ends, as in ONNX.
  Dims pads;
  Dims output_padding;
  /// "NOTSET", "VALID", "SAME_UPPER" or "SAME_LOWER".
  std::string auto_pad = "NOTSET";
  PostOps post_ops;
  std::optional<Requantization> quantized;
};

/// Output dimensions and the padding that they come from.
struct ConvolutionGeometry {
  Dims output;
  Dims begin;
  Dims end;
};
ConvolutionGeometry convolution_geometry(const ConvolutionSpec& spec, const Dims& input);
/// Raises kInvalidModel unless rank and channels fit the weights.
void check_convolution_input(const ConvolutionSpec& spec, const Dims& input);

/// False on CPUs where the 8-bit kernels may saturate sums of two products (no VNNI); see
/// lib/engine/exact_steps.h.
bool integer_kernels_are_exact();
/// Whether `spec` in 8 bits is computed rightly, the CPU aside: zero points and signed inputs need
/// the sums of weights, and oneDNN before 2.7 errs in those of grouped, not depthwise, convolutions
/// in some shapes (4 x 4 kernels among them).
bool sums_weights_rightly(const ConvolutionSpec& spec);

/// Inputs: the activation, then one tensor for every addition of the post-operations. Output:
/// channels last.
std::unique_ptr<StepKernel> make_convolution(ConvolutionSpec spec);

}  // namespace limbeck::onednn
