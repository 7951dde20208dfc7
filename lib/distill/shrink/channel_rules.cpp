#include "lib/distill/shrink/channel_rules.h"

#include <algorithm>
#include <array>

namespace limbeck {
namespace {

struct Row {
  std::string_view name;
  ChannelRule rule;
};

/// Operators of the default domain, sorted. What is missing here freezes the channels that reach
/// it.
constexpr std::array kRows = {
    Row{"Abs", unary_channels},
    Row{"Add", broadcast_channels},
    Row{"AveragePool", pool_channels},
    Row{"BatchNormalization", normalization_channels},
    Row{"Cast", unary_channels},
    Row{"Ceil", unary_channels},
    Row{"Celu", unary_channels},
    Row{"Clip", unary_channels},
    Row{"Concat", concat_channels},
    Row{"Conv", conv_channels},
    Row{"ConvTranspose", conv_transpose_channels},
    Row{"Div", broadcast_channels},
    Row{"Dropout", unary_channels},
    Row{"Elu", unary_channels},
    Row{"Erf", unary_channels},
    Row{"Exp", unary_channels},
    Row{"Flatten", reshape_channels},
    Row{"Floor", unary_channels},
    Row{"Gelu", unary_channels},
    Row{"Gemm", gemm_channels},
    Row{"GlobalAveragePool", pool_channels},
    Row{"GlobalMaxPool", pool_channels},
    Row{"HardSigmoid", unary_channels},
    Row{"HardSwish", unary_channels},
    Row{"Identity", unary_channels},
    Row{"InstanceNormalization", normalization_channels},
    Row{"LeakyRelu", unary_channels},
    Row{"Log", unary_channels},
    Row{"LogSoftmax", softmax_channels},
    Row{"MatMul", matmul_channels},
    Row{"Max", broadcast_channels},
    Row{"MaxPool", pool_channels},
    Row{"Mean", broadcast_channels},
    Row{"Min", broadcast_channels},
    Row{"Mish", unary_channels},
    Row{"Mul", broadcast_channels},
    Row{"Neg", unary_channels},
    Row{"PRelu", broadcast_channels},
    Row{"Pad", pad_channels},
    Row{"Pow", broadcast_channels},
    Row{"Reciprocal", unary_channels},
    Row{"ReduceL1", reduce_channels},
    Row{"ReduceL2", reduce_channels},
    Row{"ReduceMax", reduce_channels},
    Row{"ReduceMean", reduce_channels},
    Row{"ReduceMin", reduce_channels},
    Row{"ReduceSum", reduce_channels},
    Row{"ReduceSumSquare", reduce_channels},
    Row{"Relu", unary_channels},
    Row{"Reshape", reshape_channels},
    Row{"Resize", resize_channels},
    Row{"Round", unary_channels},
    Row{"Selu", unary_channels},
    Row{"Shape", shape_channels},
    Row{"Sigmoid", unary_channels},
    Row{"Slice", slice_channels},
    Row{"Softmax", softmax_channels},
    Row{"Softplus", unary_channels},
    Row{"Softsign", unary_channels},
    Row{"Split", split_channels},
    Row{"Sqrt", unary_channels},
    Row{"Squeeze", reshape_channels},
    Row{"Sub", broadcast_channels},
    Row{"Sum", broadcast_channels},
    Row{"Tanh", unary_channels},
    Row{"ThresholdedRelu", unary_channels},
    Row{"Transpose", transpose_channels},
    Row{"Unsqueeze", reshape_channels},
    Row{"Upsample", resize_channels},
};

}  // namespace

ChannelRule find_channel_rule(std::string_view domain, std::string_view op_type) {
  if (!domain.empty()) return nullptr;
  const auto row = std::find_if(kRows.begin(), kRows.end(),
                                [op_type](const Row& each) { return each.name == op_type; });
  return row == kRows.end() ? nullptr : row->rule;
}

std::vector<std::string> channel_rule_names() {
  std::vector<std::string> names;
  names.reserve(kRows.size());
  for (const Row& row : kRows) names.emplace_back(row.name);
  return names;
}

const Tensor* RuleContext::constant(size_t index) const {
  return input(index) == nullptr ? nullptr : input(index)->constant();
}

const Shape* RuleContext::shape(size_t index) const {
  return input(index) != nullptr && input(index)->shape ? &*input(index)->shape : nullptr;
}

Labels RuleContext::read(const Value* value, size_t axis, int64_t count) const {
  if (const Labels* found = map.find(value, axis)) return *found;
  return map.fixed(static_cast<size_t>(count),
                   node.place() + " reads '" + value->name() + "', whose channels stay");
}

Labels RuleContext::make(const Value* weight, size_t axis) const {
  if (const Labels* found = map.find(weight, axis)) return *found;
  Labels labels = map.fresh(static_cast<size_t>(weight->constant()->dim(axis)));
  map.put(weight, axis, labels);
  return labels;
}

void RuleContext::pass(const Value* from, size_t from_axis, const Value* to, size_t to_axis) const {
  if (const Labels* found = map.find(from, from_axis)) map.put(to, to_axis, Labels(*found));
}

void RuleContext::pass_all(const Value* from, const Value* to) const {
  for (size_t axis = 0; axis < kMaxRank; ++axis) pass(from, axis, to, axis);
}

void RuleContext::freeze_axis(const Value* value, size_t axis) const {
  if (const Labels* found = map.find(value, axis)) map.freeze(*found, reason());
}

void RuleContext::freeze_from(const Value* value, size_t first) const {
  for (size_t axis = first; axis < kMaxRank; ++axis) freeze_axis(value, axis);
}

}  // namespace limbeck
