// The operator table. Rows are sorted by domain, then by name (byte order);
// tests/ops/table_test.cpp walks them.
#include <algorithm>
#include <array>

#include "lib/ops/gradient_rows.h"
#include "lib/ops/rows.h"

namespace limbeck {
namespace {

using enum QuantRole;
constexpr int64_t kNow = OpRow::kNoEnd;
constexpr GradientFactory kNo = nullptr;  // not differentiable

constexpr std::array kTable = {
    // name, domain, since, until, shape rule, kernel, gradient, role
    OpRow{"Abs", "", 1, kNow, same_shape, abs_kernel, abs_gradient, kNone},
    OpRow{"Acos", "", 7, kNow, same_shape, acos_kernel, acos_gradient, kNone},
    OpRow{"Acosh", "", 9, kNow, same_shape, acosh_kernel, acosh_gradient, kNone},
    OpRow{"Add", "", 1, kNow, broadcast_shape, add_kernel, add_gradient, kElementwise},
    OpRow{"And", "", 1, kNow, predicate_shape, and_kernel, kNo, kNone},
    OpRow{"ArgMax", "", 1, kNow, arg_reduce_shape, arg_max_kernel, kNo, kNone},
    OpRow{"ArgMin", "", 1, kNow, arg_reduce_shape, arg_min_kernel, kNo, kNone},
    OpRow{"Asin", "", 7, kNow, same_shape, asin_kernel, asin_gradient, kNone},
    OpRow{"Asinh", "", 9, kNow, same_shape, asinh_kernel, asinh_gradient, kNone},
    OpRow{"Atan", "", 7, kNow, same_shape, atan_kernel, atan_gradient, kNone},
    OpRow{"Atanh", "", 9, kNow, same_shape, atanh_kernel, atanh_gradient, kNone},
    OpRow{"AveragePool", "", 1, kNow, pool_shape, average_pool_kernel, average_pool_gradient,
          kElementwise},
    OpRow{"BatchNormalization", "", 1, kNow, batch_normalization_shape, batch_normalization_kernel,
          batch_normalization_gradient, kNone},
    OpRow{"Cast", "", 1, kNow, cast_shape, cast_kernel, cast_gradient, kNone},
    OpRow{"Ceil", "", 1, kNow, same_shape, ceil_kernel, kNo, kNone},
    OpRow{"Celu", "", 12, kNow, same_shape, celu_kernel, celu_gradient, kElementwise},
    OpRow{"Clip", "", 1, kNow, same_shape, clip_kernel, clip_gradient, kElementwise},
    OpRow{"Concat", "", 1, kNow, concat_shape, concat_kernel, concat_gradient, kSharedScale},
    OpRow{"Constant", "", 1, kNow, constant_shape, constant_kernel, kNo, kNone},
    OpRow{"ConstantOfShape", "", 9, kNow, constant_of_shape_shape, constant_of_shape_kernel, kNo,
          kNone},
    OpRow{"Conv", "", 1, kNow, conv_shape, conv_kernel, conv_gradient, kWeighted},
    OpRow{"ConvInteger", "", 10, kNow, conv_integer_shape, conv_integer_kernel, kNo, kQuantizer},
    OpRow{"ConvTranspose", "", 1, kNow, conv_transpose_shape, conv_transpose_kernel,
          conv_transpose_gradient, kWeighted},
    OpRow{"Cos", "", 7, kNow, same_shape, cos_kernel, cos_gradient, kNone},
    OpRow{"Cosh", "", 9, kNow, same_shape, cosh_kernel, cosh_gradient, kNone},
    OpRow{"CumSum", "", 11, kNow, same_shape, cum_sum_kernel, cum_sum_gradient, kNone},
    OpRow{"DepthToSpace", "", 1, kNow, depth_to_space_shape, depth_to_space_kernel,
          depth_to_space_gradient, kSameScale},
    OpRow{"DequantizeLinear", "", 10, kNow, dequantize_linear_shape, dequantize_linear_kernel,
          dequantize_linear_gradient, kQuantizer},
    OpRow{"Div", "", 1, kNow, broadcast_shape, div_kernel, div_gradient, kElementwise},
    OpRow{"Dropout", "", 1, kNow, dropout_shape, dropout_kernel, dropout_gradient, kSameScale},
    OpRow{"DynamicQuantizeLinear", "", 11, kNow, dynamic_quantize_linear_shape,
          dynamic_quantize_linear_kernel, kNo, kQuantizer},
    OpRow{"Elu", "", 1, kNow, same_shape, elu_kernel, elu_gradient, kElementwise},
    OpRow{"Equal", "", 1, kNow, predicate_shape, equal_kernel, kNo, kNone},
    OpRow{"Erf", "", 9, kNow, same_shape, erf_kernel, erf_gradient, kNone},
    OpRow{"Exp", "", 1, kNow, same_shape, exp_kernel, exp_gradient, kNone},
    OpRow{"Expand", "", 8, kNow, expand_shape, expand_kernel, expand_gradient, kSameScale},
    OpRow{"Flatten", "", 1, kNow, flatten_shape, flatten_kernel, flatten_gradient, kSameScale},
    OpRow{"Floor", "", 1, kNow, same_shape, floor_kernel, kNo, kNone},
    OpRow{"Gather", "", 1, kNow, gather_shape, gather_kernel, gather_gradient, kSameScale},
    OpRow{"GatherElements", "", 11, kNow, gather_elements_shape, gather_elements_kernel,
          gather_elements_gradient, kSameScale},
    OpRow{"Gelu", "", 20, kNow, same_shape, gelu_kernel, gelu_gradient, kElementwise},
    OpRow{"Gemm", "", 1, kNow, gemm_shape, gemm_kernel, gemm_gradient, kWeighted},
    OpRow{"GlobalAveragePool", "", 1, kNow, global_pool_shape, global_average_pool_kernel,
          global_average_pool_gradient, kElementwise},
    OpRow{"GlobalMaxPool", "", 1, kNow, global_pool_shape, global_max_pool_kernel,
          global_max_pool_gradient, kSameScale},
    OpRow{"Greater", "", 1, kNow, predicate_shape, greater_kernel, kNo, kNone},
    OpRow{"GreaterOrEqual", "", 12, kNow, predicate_shape, greater_or_equal_kernel, kNo, kNone},
    OpRow{"HardSigmoid", "", 1, kNow, same_shape, hard_sigmoid_kernel, hard_sigmoid_gradient,
          kElementwise},
    OpRow{"HardSwish", "", 14, kNow, same_shape, hard_swish_kernel, hard_swish_gradient,
          kElementwise},
    OpRow{"Identity", "", 1, kNow, same_shape, identity_kernel, identity_gradient, kSameScale},
    OpRow{"InstanceNormalization", "", 1, kNow, same_shape, instance_normalization_kernel,
          instance_normalization_gradient, kNone},
    OpRow{"IsInf", "", 10, kNow, predicate_shape, is_inf_kernel, kNo, kNone},
    OpRow{"IsNaN", "", 9, kNow, predicate_shape, is_nan_kernel, kNo, kNone},
    OpRow{"LRN", "", 1, kNow, same_shape, lrn_kernel, lrn_gradient, kNone},
    OpRow{"LayerNormalization", "", 17, kNow, layer_normalization_shape, layer_normalization_kernel,
          layer_normalization_gradient, kNone},
    OpRow{"LeakyRelu", "", 1, kNow, same_shape, leaky_relu_kernel, leaky_relu_gradient,
          kElementwise},
    OpRow{"Less", "", 1, kNow, predicate_shape, less_kernel, kNo, kNone},
    OpRow{"LessOrEqual", "", 12, kNow, predicate_shape, less_or_equal_kernel, kNo, kNone},
    OpRow{"Log", "", 1, kNow, same_shape, log_kernel, log_gradient, kNone},
    OpRow{"LogSoftmax", "", 1, kNow, same_shape, log_softmax_kernel, log_softmax_gradient, kNone},
    OpRow{"MatMul", "", 1, kNow, matmul_shape, matmul_kernel, matmul_gradient, kWeighted},
    OpRow{"MatMulInteger", "", 10, kNow, matmul_integer_shape, matmul_integer_kernel, kNo,
          kQuantizer},
    OpRow{"Max", "", 1, kNow, broadcast_shape, max_kernel, max_gradient, kElementwise},
    OpRow{"MaxPool", "", 1, kNow, pool_shape, max_pool_kernel, max_pool_gradient, kSameScale},
    OpRow{"Mean", "", 1, kNow, broadcast_shape, mean_kernel, mean_gradient, kElementwise},
    OpRow{"Min", "", 1, kNow, broadcast_shape, min_kernel, min_gradient, kElementwise},
    OpRow{"Mish", "", 18, kNow, same_shape, mish_kernel, mish_gradient, kElementwise},
    OpRow{"Mod", "", 10, kNow, broadcast_shape, mod_kernel, kNo, kNone},
    OpRow{"Mul", "", 1, kNow, broadcast_shape, mul_kernel, mul_gradient, kElementwise},
    OpRow{"Neg", "", 1, kNow, same_shape, neg_kernel, neg_gradient, kNone},
    OpRow{"Not", "", 1, kNow, predicate_shape, not_kernel, kNo, kNone},
    OpRow{"Or", "", 1, kNow, predicate_shape, or_kernel, kNo, kNone},
    OpRow{"PRelu", "", 1, kNow, broadcast_shape, prelu_kernel, prelu_gradient, kElementwise},
    OpRow{"Pad", "", 1, kNow, pad_shape, pad_kernel, pad_gradient, kSameScale},
    OpRow{"Pow", "", 1, kNow, broadcast_shape, pow_kernel, pow_gradient, kNone},
    OpRow{"QLinearConv", "", 10, kNow, qlinear_conv_shape, qlinear_conv_kernel, kNo, kQuantizer},
    OpRow{"QLinearMatMul", "", 10, kNow, qlinear_matmul_shape, qlinear_matmul_kernel, kNo,
          kQuantizer},
    OpRow{"QuantizeLinear", "", 10, kNow, quantize_linear_shape, quantize_linear_kernel,
          quantize_linear_gradient, kQuantizer},
    OpRow{"Range", "", 11, kNow, range_shape, range_kernel, kNo, kNone},
    OpRow{"Reciprocal", "", 1, kNow, same_shape, reciprocal_kernel, reciprocal_gradient, kNone},
    OpRow{"ReduceL1", "", 1, kNow, reduce_shape, reduce_l1_kernel, reduce_l1_gradient, kNone},
    OpRow{"ReduceL2", "", 1, kNow, reduce_shape, reduce_l2_kernel, reduce_l2_gradient, kNone},
    OpRow{"ReduceLogSum", "", 1, kNow, reduce_shape, reduce_log_sum_kernel, reduce_log_sum_gradient,
          kNone},
    OpRow{"ReduceLogSumExp", "", 1, kNow, reduce_shape, reduce_log_sum_exp_kernel,
          reduce_log_sum_exp_gradient, kNone},
    OpRow{"ReduceMax", "", 1, kNow, reduce_shape, reduce_max_kernel, reduce_max_gradient,
          kSameScale},
    OpRow{"ReduceMean", "", 1, kNow, reduce_shape, reduce_mean_kernel, reduce_mean_gradient,
          kElementwise},
    OpRow{"ReduceMin", "", 1, kNow, reduce_shape, reduce_min_kernel, reduce_min_gradient,
          kSameScale},
    OpRow{"ReduceProd", "", 1, kNow, reduce_shape, reduce_prod_kernel, kNo, kNone},
    OpRow{"ReduceSum", "", 1, kNow, reduce_shape, reduce_sum_kernel, reduce_sum_gradient,
          kElementwise},
    OpRow{"ReduceSumSquare", "", 1, kNow, reduce_shape, reduce_sum_square_kernel,
          reduce_sum_square_gradient, kNone},
    OpRow{"Relu", "", 1, kNow, same_shape, relu_kernel, relu_gradient, kElementwise},
    OpRow{"Reshape", "", 1, kNow, reshape_shape, reshape_kernel, reshape_gradient, kSameScale},
    OpRow{"Resize", "", 10, kNow, resize_shape, resize_kernel, resize_gradient, kSameScale},
    OpRow{"Round", "", 11, kNow, same_shape, round_kernel, kNo, kNone},
    OpRow{"Selu", "", 1, kNow, same_shape, selu_kernel, selu_gradient, kElementwise},
    OpRow{"Shape", "", 1, kNow, shape_shape, shape_kernel, kNo, kNone},
    OpRow{"Shrink", "", 9, kNow, same_shape, shrink_kernel, shrink_gradient, kNone},
    OpRow{"Sigmoid", "", 1, kNow, same_shape, sigmoid_kernel, sigmoid_gradient, kElementwise},
    OpRow{"Sign", "", 9, kNow, same_shape, sign_kernel, kNo, kNone},
    OpRow{"Sin", "", 7, kNow, same_shape, sin_kernel, sin_gradient, kNone},
    OpRow{"Sinh", "", 9, kNow, same_shape, sinh_kernel, sinh_gradient, kNone},
    OpRow{"Size", "", 1, kNow, size_shape, size_kernel, kNo, kNone},
    OpRow{"Slice", "", 1, kNow, slice_shape, slice_kernel, slice_gradient, kSameScale},
    OpRow{"Softmax", "", 1, kNow, same_shape, softmax_kernel, softmax_gradient, kElementwise},
    OpRow{"Softplus", "", 1, kNow, same_shape, softplus_kernel, softplus_gradient, kNone},
    OpRow{"Softsign", "", 1, kNow, same_shape, softsign_kernel, softsign_gradient, kNone},
    OpRow{"SpaceToDepth", "", 1, kNow, space_to_depth_shape, space_to_depth_kernel,
          space_to_depth_gradient, kSameScale},
    OpRow{"Split", "", 1, kNow, split_shape, split_kernel, split_gradient, kSameScale},
    OpRow{"Sqrt", "", 1, kNow, same_shape, sqrt_kernel, sqrt_gradient, kNone},
    OpRow{"Squeeze", "", 1, kNow, squeeze_shape, squeeze_kernel, squeeze_gradient, kSameScale},
    OpRow{"Sub", "", 1, kNow, broadcast_shape, sub_kernel, sub_gradient, kElementwise},
    OpRow{"Sum", "", 1, kNow, broadcast_shape, sum_kernel, sum_gradient, kElementwise},
    OpRow{"Tan", "", 7, kNow, same_shape, tan_kernel, tan_gradient, kNone},
    OpRow{"Tanh", "", 1, kNow, same_shape, tanh_kernel, tanh_gradient, kElementwise},
    OpRow{"ThresholdedRelu", "", 10, kNow, same_shape, thresholded_relu_kernel,
          thresholded_relu_gradient, kNone},
    OpRow{"Tile", "", 1, kNow, tile_shape, tile_kernel, tile_gradient, kSameScale},
    OpRow{"TopK", "", 1, kNow, top_k_shape, top_k_kernel, kNo, kNone},
    OpRow{"Transpose", "", 1, kNow, transpose_shape, transpose_kernel, transpose_gradient,
          kSameScale},
    OpRow{"Unsqueeze", "", 1, kNow, unsqueeze_shape, unsqueeze_kernel, unsqueeze_gradient,
          kSameScale},
    OpRow{"Upsample", "", 7, 9, upsample_shape, upsample_kernel, upsample_gradient, kSameScale},
    OpRow{"Where", "", 9, kNow, where_shape, where_kernel, where_gradient, kNone},
    OpRow{"Xor", "", 1, kNow, predicate_shape, xor_kernel, kNo, kNone},
    OpRow{"QGemm", "com.microsoft", 1, kNow, qgemm_shape, qgemm_kernel, kNo, kQuantizer},
    OpRow{"QLinearAdd", "com.microsoft", 1, kNow, qlinear_binary_shape, qlinear_add_kernel, kNo,
          kQuantizer},
    OpRow{"QLinearAveragePool", "com.microsoft", 1, kNow, pool_shape, qlinear_average_pool_kernel,
          kNo, kQuantizer},
    OpRow{"QLinearConcat", "com.microsoft", 1, kNow, qlinear_concat_shape, qlinear_concat_kernel,
          kNo, kQuantizer},
    OpRow{"QLinearGlobalAveragePool", "com.microsoft", 1, kNow, global_pool_shape,
          qlinear_global_average_pool_kernel, kNo, kQuantizer},
    OpRow{"QLinearLeakyRelu", "com.microsoft", 1, kNow, same_shape, qlinear_leaky_relu_kernel, kNo,
          kQuantizer},
    OpRow{"QLinearMul", "com.microsoft", 1, kNow, qlinear_binary_shape, qlinear_mul_kernel, kNo,
          kQuantizer},
    OpRow{"QLinearSigmoid", "com.microsoft", 1, kNow, same_shape, qlinear_sigmoid_kernel, kNo,
          kQuantizer},
};

}  // namespace

std::span<const OpRow> op_table() { return kTable; }

void require_known_opset(const Model& model) {
  const int64_t opset = model.opset();
  if (opset <= kNewestOpset) return;
  throw_error(Category::kUnsupported, "model",
              "opsets up to " + std::to_string(kNewestOpset) + " are known",
              "opset " + std::to_string(opset),
              "export the model with opset " + std::to_string(kNewestOpset) + " or earlier");
}

void require_outputs(const Model& model) {
  if (!model.graph.outputs().empty()) return;
  throw_error(Category::kInvalidModel, "model", "a model must have an output", "none",
              "check the export");
}

const OpRow* find_op(std::string_view domain, std::string_view name, int64_t opset) {
  if (domain == "ai.onnx") domain = "";
  const auto before = [](const OpRow& row, std::pair<std::string_view, std::string_view> key) {
    return std::pair(row.domain, row.name) < key;
  };
  auto row = std::lower_bound(kTable.begin(), kTable.end(), std::pair(domain, name), before);
  for (; row != kTable.end() && row->domain == domain && row->name == name; ++row) {
    if (opset >= row->since && opset <= row->until) return &*row;
  }
  return nullptr;
}

}  // namespace limbeck
