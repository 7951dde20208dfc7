// The operator table. Rows are sorted by domain, then by name (byte order);
// tests/ops/table_test.cpp walks them.
#include <algorithm>
#include <array>

#include "lib/ops/rows.h"

namespace limbeck {
namespace {

using enum QuantRole;
constexpr int64_t kNow = OpRow::kNoEnd;
constexpr bool kYes = true;  // a gradient may exist
constexpr bool kNo = false;

constexpr std::array kTable = {
    // name, domain, since, until, shape rule, kernel, differentiable, role
    OpRow{"Abs", "", 1, kNow, same_shape, abs_kernel, kYes, kNone},
    OpRow{"Acos", "", 7, kNow, same_shape, acos_kernel, kYes, kNone},
    OpRow{"Acosh", "", 9, kNow, same_shape, acosh_kernel, kYes, kNone},
    OpRow{"Add", "", 1, kNow, broadcast_shape, add_kernel, kYes, kElementwise},
    OpRow{"And", "", 1, kNow, predicate_shape, and_kernel, kNo, kNone},
    OpRow{"ArgMax", "", 1, kNow, arg_reduce_shape, arg_max_kernel, kNo, kNone},
    OpRow{"ArgMin", "", 1, kNow, arg_reduce_shape, arg_min_kernel, kNo, kNone},
    OpRow{"Asin", "", 7, kNow, same_shape, asin_kernel, kYes, kNone},
    OpRow{"Asinh", "", 9, kNow, same_shape, asinh_kernel, kYes, kNone},
    OpRow{"Atan", "", 7, kNow, same_shape, atan_kernel, kYes, kNone},
    OpRow{"Atanh", "", 9, kNow, same_shape, atanh_kernel, kYes, kNone},
    OpRow{"AveragePool", "", 1, kNow, pool_shape, average_pool_kernel, kYes, kElementwise},
    OpRow{"BatchNormalization", "", 1, kNow, batch_normalization_shape, batch_normalization_kernel,
          kYes, kNone},
    OpRow{"Cast", "", 1, kNow, cast_shape, cast_kernel, kYes, kNone},
    OpRow{"Ceil", "", 1, kNow, same_shape, ceil_kernel, kNo, kNone},
    OpRow{"Celu", "", 12, kNow, same_shape, celu_kernel, kYes, kElementwise},
    OpRow{"Clip", "", 1, kNow, same_shape, clip_kernel, kYes, kElementwise},
    OpRow{"Concat", "", 1, kNow, concat_shape, concat_kernel, kYes, kSharedScale},
    OpRow{"Constant", "", 1, kNow, constant_shape, constant_kernel, kNo, kNone},
    OpRow{"ConstantOfShape", "", 9, kNow, constant_of_shape_shape, constant_of_shape_kernel, kNo,
          kNone},
    OpRow{"Conv", "", 1, kNow, conv_shape, conv_kernel, kYes, kWeighted},
    OpRow{"ConvInteger", "", 10, kNow, conv_integer_shape, conv_integer_kernel, kNo, kQuantizer},
    OpRow{"ConvTranspose", "", 1, kNow, conv_transpose_shape, conv_transpose_kernel, kYes,
          kWeighted},
    OpRow{"Cos", "", 7, kNow, same_shape, cos_kernel, kYes, kNone},
    OpRow{"Cosh", "", 9, kNow, same_shape, cosh_kernel, kYes, kNone},
    OpRow{"CumSum", "", 11, kNow, same_shape, cum_sum_kernel, kYes, kNone},
    OpRow{"DepthToSpace", "", 1, kNow, depth_to_space_shape, depth_to_space_kernel, kYes,
          kSameScale},
    OpRow{"DequantizeLinear", "", 10, kNow, dequantize_linear_shape, dequantize_linear_kernel, kYes,
          kQuantizer},
    OpRow{"Div", "", 1, kNow, broadcast_shape, div_kernel, kYes, kElementwise},
    OpRow{"Dropout", "", 1, kNow, dropout_shape, dropout_kernel, kYes, kSameScale},
    OpRow{"DynamicQuantizeLinear", "", 11, kNow, dynamic_quantize_linear_shape,
          dynamic_quantize_linear_kernel, kNo, kQuantizer},
    OpRow{"Elu", "", 1, kNow, same_shape, elu_kernel, kYes, kElementwise},
    OpRow{"Equal", "", 1, kNow, predicate_shape, equal_kernel, kNo, kNone},
    OpRow{"Erf", "", 9, kNow, same_shape, erf_kernel, kYes, kNone},
    OpRow{"Exp", "", 1, kNow, same_shape, exp_kernel, kYes, kNone},
    OpRow{"Expand", "", 8, kNow, expand_shape, expand_kernel, kYes, kSameScale},
    OpRow{"Flatten", "", 1, kNow, flatten_shape, flatten_kernel, kYes, kSameScale},
    OpRow{"Floor", "", 1, kNow, same_shape, floor_kernel, kNo, kNone},
    OpRow{"Gather", "", 1, kNow, gather_shape, gather_kernel, kYes, kSameScale},
    OpRow{"GatherElements", "", 11, kNow, gather_elements_shape, gather_elements_kernel, kYes,
          kSameScale},
    OpRow{"Gelu", "", 20, kNow, same_shape, gelu_kernel, kYes, kElementwise},
    OpRow{"Gemm", "", 1, kNow, gemm_shape, gemm_kernel, kYes, kWeighted},
    OpRow{"GlobalAveragePool", "", 1, kNow, global_pool_shape, global_average_pool_kernel, kYes,
          kElementwise},
    OpRow{"GlobalMaxPool", "", 1, kNow, global_pool_shape, global_max_pool_kernel, kYes,
          kSameScale},
    OpRow{"Greater", "", 1, kNow, predicate_shape, greater_kernel, kNo, kNone},
    OpRow{"GreaterOrEqual", "", 12, kNow, predicate_shape, greater_or_equal_kernel, kNo, kNone},
    OpRow{"HardSigmoid", "", 1, kNow, same_shape, hard_sigmoid_kernel, kYes, kElementwise},
    OpRow{"HardSwish", "", 14, kNow, same_shape, hard_swish_kernel, kYes, kElementwise},
    OpRow{"Identity", "", 1, kNow, same_shape, identity_kernel, kYes, kSameScale},
    OpRow{"InstanceNormalization", "", 1, kNow, same_shape, instance_normalization_kernel, kYes,
          kNone},
    OpRow{"IsInf", "", 10, kNow, predicate_shape, is_inf_kernel, kNo, kNone},
    OpRow{"IsNaN", "", 9, kNow, predicate_shape, is_nan_kernel, kNo, kNone},
    OpRow{"LRN", "", 1, kNow, same_shape, lrn_kernel, kYes, kNone},
    OpRow{"LayerNormalization", "", 17, kNow, layer_normalization_shape, layer_normalization_kernel,
          kYes, kNone},
    OpRow{"LeakyRelu", "", 1, kNow, same_shape, leaky_relu_kernel, kYes, kElementwise},
    OpRow{"Less", "", 1, kNow, predicate_shape, less_kernel, kNo, kNone},
    OpRow{"LessOrEqual", "", 12, kNow, predicate_shape, less_or_equal_kernel, kNo, kNone},
    OpRow{"Log", "", 1, kNow, same_shape, log_kernel, kYes, kNone},
    OpRow{"LogSoftmax", "", 1, kNow, same_shape, log_softmax_kernel, kYes, kNone},
    OpRow{"MatMul", "", 1, kNow, matmul_shape, matmul_kernel, kYes, kWeighted},
    OpRow{"MatMulInteger", "", 10, kNow, matmul_integer_shape, matmul_integer_kernel, kNo,
          kQuantizer},
    OpRow{"Max", "", 1, kNow, broadcast_shape, max_kernel, kYes, kElementwise},
    OpRow{"MaxPool", "", 1, kNow, pool_shape, max_pool_kernel, kYes, kSameScale},
    OpRow{"Mean", "", 1, kNow, broadcast_shape, mean_kernel, kYes, kElementwise},
    OpRow{"Min", "", 1, kNow, broadcast_shape, min_kernel, kYes, kElementwise},
    OpRow{"Mish", "", 18, kNow, same_shape, mish_kernel, kYes, kElementwise},
    OpRow{"Mod", "", 10, kNow, broadcast_shape, mod_kernel, kNo, kNone},
    OpRow{"Mul", "", 1, kNow, broadcast_shape, mul_kernel, kYes, kElementwise},
    OpRow{"Neg", "", 1, kNow, same_shape, neg_kernel, kYes, kNone},
    OpRow{"Not", "", 1, kNow, predicate_shape, not_kernel, kNo, kNone},
    OpRow{"Or", "", 1, kNow, predicate_shape, or_kernel, kNo, kNone},
    OpRow{"PRelu", "", 1, kNow, broadcast_shape, prelu_kernel, kYes, kElementwise},
    OpRow{"Pad", "", 1, kNow, pad_shape, pad_kernel, kYes, kSameScale},
    OpRow{"Pow", "", 1, kNow, broadcast_shape, pow_kernel, kYes, kNone},
    OpRow{"QLinearConv", "", 10, kNow, qlinear_conv_shape, qlinear_conv_kernel, kNo, kQuantizer},
    OpRow{"QLinearMatMul", "", 10, kNow, qlinear_matmul_shape, qlinear_matmul_kernel, kNo,
          kQuantizer},
    OpRow{"QuantizeLinear", "", 10, kNow, quantize_linear_shape, quantize_linear_kernel, kYes,
          kQuantizer},
    OpRow{"Range", "", 11, kNow, range_shape, range_kernel, kNo, kNone},
    OpRow{"Reciprocal", "", 1, kNow, same_shape, reciprocal_kernel, kYes, kNone},
    OpRow{"ReduceL1", "", 1, kNow, reduce_shape, reduce_l1_kernel, kYes, kNone},
    OpRow{"ReduceL2", "", 1, kNow, reduce_shape, reduce_l2_kernel, kYes, kNone},
    OpRow{"ReduceLogSum", "", 1, kNow, reduce_shape, reduce_log_sum_kernel, kYes, kNone},
    OpRow{"ReduceLogSumExp", "", 1, kNow, reduce_shape, reduce_log_sum_exp_kernel, kYes, kNone},
    OpRow{"ReduceMax", "", 1, kNow, reduce_shape, reduce_max_kernel, kYes, kSameScale},
    OpRow{"ReduceMean", "", 1, kNow, reduce_shape, reduce_mean_kernel, kYes, kElementwise},
    OpRow{"ReduceMin", "", 1, kNow, reduce_shape, reduce_min_kernel, kYes, kSameScale},
    OpRow{"ReduceProd", "", 1, kNow, reduce_shape, reduce_prod_kernel, kNo, kNone},
    OpRow{"ReduceSum", "", 1, kNow, reduce_shape, reduce_sum_kernel, kYes, kElementwise},
    OpRow{"ReduceSumSquare", "", 1, kNow, reduce_shape, reduce_sum_square_kernel, kYes, kNone},
    OpRow{"Relu", "", 1, kNow, same_shape, relu_kernel, kYes, kElementwise},
    OpRow{"Reshape", "", 1, kNow, reshape_shape, reshape_kernel, kYes, kSameScale},
    OpRow{"Resize", "", 10, kNow, resize_shape, resize_kernel, kYes, kSameScale},
    OpRow{"Round", "", 11, kNow, same_shape, round_kernel, kNo, kNone},
    OpRow{"Selu", "", 1, kNow, same_shape, selu_kernel, kYes, kElementwise},
    OpRow{"Shape", "", 1, kNow, shape_shape, shape_kernel, kNo, kNone},
    OpRow{"Shrink", "", 9, kNow, same_shape, shrink_kernel, kYes, kNone},
    OpRow{"Sigmoid", "", 1, kNow, same_shape, sigmoid_kernel, kYes, kElementwise},
    OpRow{"Sign", "", 9, kNow, same_shape, sign_kernel, kNo, kNone},
    OpRow{"Sin", "", 7, kNow, same_shape, sin_kernel, kYes, kNone},
    OpRow{"Sinh", "", 9, kNow, same_shape, sinh_kernel, kYes, kNone},
    OpRow{"Size", "", 1, kNow, size_shape, size_kernel, kNo, kNone},
    OpRow{"Slice", "", 1, kNow, slice_shape, slice_kernel, kYes, kSameScale},
    OpRow{"Softmax", "", 1, kNow, same_shape, softmax_kernel, kYes, kElementwise},
    OpRow{"Softplus", "", 1, kNow, same_shape, softplus_kernel, kYes, kNone},
    OpRow{"Softsign", "", 1, kNow, same_shape, softsign_kernel, kYes, kNone},
    OpRow{"SpaceToDepth", "", 1, kNow, space_to_depth_shape, space_to_depth_kernel, kYes,
          kSameScale},
    OpRow{"Split", "", 1, kNow, split_shape, split_kernel, kYes, kSameScale},
    OpRow{"Sqrt", "", 1, kNow, same_shape, sqrt_kernel, kYes, kNone},
    OpRow{"Squeeze", "", 1, kNow, squeeze_shape, squeeze_kernel, kYes, kSameScale},
    OpRow{"Sub", "", 1, kNow, broadcast_shape, sub_kernel, kYes, kElementwise},
    OpRow{"Sum", "", 1, kNow, broadcast_shape, sum_kernel, kYes, kElementwise},
    OpRow{"Tan", "", 7, kNow, same_shape, tan_kernel, kYes, kNone},
    OpRow{"Tanh", "", 1, kNow, same_shape, tanh_kernel, kYes, kElementwise},
    OpRow{"ThresholdedRelu", "", 10, kNow, same_shape, thresholded_relu_kernel, kYes, kNone},
    OpRow{"Tile", "", 1, kNow, tile_shape, tile_kernel, kYes, kSameScale},
    OpRow{"TopK", "", 1, kNow, top_k_shape, top_k_kernel, kNo, kNone},
    OpRow{"Transpose", "", 1, kNow, transpose_shape, transpose_kernel, kYes, kSameScale},
    OpRow{"Unsqueeze", "", 1, kNow, unsqueeze_shape, unsqueeze_kernel, kYes, kSameScale},
    OpRow{"Upsample", "", 7, 9, upsample_shape, upsample_kernel, kYes, kSameScale},
    OpRow{"Where", "", 9, kNow, where_shape, where_kernel, kYes, kNone},
    OpRow{"Xor", "", 1, kNow, predicate_shape, xor_kernel, kNo, kNone},
};

}  // namespace

std::span<const OpRow> op_table() { return kTable; }

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
