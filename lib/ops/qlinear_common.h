// The quantized operators of ONNX Runtime's com.microsoft domain whose integer result is defined by
// the float operator between a dequantization and a quantization. Internal to lib/ops.
#pragma once

#include <memory>
#include <vector>

#include "lib/ops/common.h"

namespace limbeck {

/// Where the quantized tensors of such a node are: each is followed by its scale and its zero point
/// (which may be absent: 0).
struct QLinearInputs {
  std::vector<size_t> data;  ///< positions of the codes that come in
  size_t result = 0;         ///< position of the scale of the result
};

/// Per-tensor codes as real numbers.
Tensor dequantized_tensor(const Tensor& codes, const Tensor& scale, const Tensor* zero,
                          const std::string& place);
/// Real numbers as per-tensor codes of `type`.
Tensor quantized_tensor(const Tensor& real, const Tensor& scale, const Tensor* zero, DataType type,
                        const std::string& place);

/// Dequantizes the inputs, runs `inner` on them, quantizes its result. The result's type is that of
/// its zero point, or of the first input.
std::unique_ptr<Kernel> make_qlinear_kernel(const Node& node, std::unique_ptr<Kernel> inner,
                                            QLinearInputs inputs);

}  // namespace limbeck
