// Compares the fused engine with the engine that runs one plain kernel a node.
#pragma once

#include <string>
#include <vector>

#include "lib/engine/engine.h"
#include "tests/support/model_builder.h"

namespace limbeck::test {

std::vector<Tensor> run_engine(const Model& model, const std::vector<Tensor>& inputs, bool fuse,
                               const std::vector<std::string>& taps = {}, int threads = 1);

/// Same shapes; floats equal to `tolerance` of the largest element, integers equal.
void check_close(const std::vector<Tensor>& wanted, const std::vector<Tensor>& got,
                 float tolerance = 2e-6F);
/// Runs both ways, on one and on two threads.
void check_fused(const Model& model, const std::vector<Tensor>& inputs,
                 const std::vector<std::string>& taps = {}, float tolerance = 2e-6F);

/// Integer results may be one step off where the rounding of the requantization differs, on at most
/// one element in a thousand (and always on one). The plain results must not all be equal.
void check_codes(const Tensor& wanted, const Tensor& got);
/// The same for models, on one and on two threads; the share of MACs in integers is returned.
double check_fused_codes(const Model& model, const std::vector<Tensor>& inputs);

/// Deterministic codes over the whole range of the 8-bit type.
Tensor code_noise(DataType type, const Dims& dims, unsigned seed);
Tensor filled_codes(DataType type, const Dims& dims, int value);

/// Scale and zero point of one tensor.
struct Step {
  float scale = 1;
  int zero = 0;
  DataType type = DataType::kUint8;
};
/// Adds constants "NAME_scale" and "NAME_zero" with one item each.
void add_step(ModelBuilder& builder, const std::string& name, const Step& step);
/// from (float) -> QuantizeLinear -> DequantizeLinear -> "from_dq"; the codes are "from_q".
std::string add_qdq(ModelBuilder& builder, const std::string& from, const Step& step);
/// Graph input of codes "NAME", dequantized as "NAME_dq", which is returned.
std::string add_code_input(ModelBuilder& builder, const std::string& name, const Dims& dims,
                           const Step& step);
/// Graph output of codes "from_q".
void add_code_output(ModelBuilder& builder, const std::string& from, const Step& step);
/// Constant int8 weights "NAME" behind a DequantizeLinear, "NAME_dq" is returned; one scale for all
/// or one for each position of `axis`.
std::string add_weights(ModelBuilder& builder, const std::string& name, const Tensor& codes,
                        const std::vector<float>& scales, int64_t axis);
/// int32 bias codes, scale input_scale * weight scale.
std::string add_bias(ModelBuilder& builder, const std::string& name,
                     const std::vector<int32_t>& codes, float input_scale,
                     const std::vector<float>& scales);

}  // namespace limbeck::test
