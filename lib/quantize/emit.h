// The forms other than QDQ in which a Plan is written (QDQ itself: apply.h).
#pragma once

#include "lib/quantize/apply.h"

namespace limbeck {

/// Rewrites what apply_plan wrote into operators over integers: DequantizeLinear -> Conv ->
/// QuantizeLinear becomes QLinearConv, MatMul QLinearMatMul, and of com.microsoft Gemm QGemm, Add
/// QLinearAdd, Mul QLinearMul, Sigmoid, LeakyRelu, AveragePool, GlobalAveragePool and Concat their
/// QLinear forms; operators that only move data read the integers. What has no such form keeps its
/// pairs around a float operator. Needs 8-bit activations and int8 weights (kUsage otherwise).
/// `applied->layers` names the codes of layers whose float value no longer exists.
void to_qoperator(AppliedPlan* applied);

/// `model` is the simplified float model that the plan was made for, at opset 13 or later. Every
/// weighted node of the plan becomes DynamicQuantizeLinear -> ConvInteger or MatMulInteger over
/// int8 weights -> Cast -> Mul by input scale * weight scale -> Add of the float bias; everything
/// else stays in float. Weights have no zero-point input: ONNX Runtime has no per-channel one in
/// ConvInteger, and symmetric int8 needs none. Raises kUsage when the plan names nodes that the
/// model lacks, or weights of another type.
AppliedPlan apply_dynamic(const Model& model, const Plan& plan);

}  // namespace limbeck
