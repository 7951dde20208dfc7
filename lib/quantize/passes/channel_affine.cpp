#include "lib/quantize/passes/channel_affine.h"

#include <utility>

#include "lib/quantize/passes/rewrite.h"

namespace limbeck {
namespace {

/// Where the output channel of weight element i is found: (i / group_size) * per_block + (i /
/// stride) % per_block.
struct WeightLayout {
  int64_t per_block = 0;  ///< channels in a block
  int64_t stride = 1;     ///< consecutive elements of one channel
  int64_t group_size =
      0;  ///< elements after which the channels count on (groups of ConvTranspose); 0 for never
};

bool is_bias_of(const Tensor& bias, int64_t channels) {
  if (bias.count() == 1) return bias.rank() <= 2;
  return bias.count() == channels && bias.rank() <= 2 && bias.dims().back() == channels;
}

std::optional<FoldTarget> conv_target(Node* node, const Tensor& weight) {
  if (weight.rank() < 3) return std::nullopt;
  const bool transposed = node->op_type() == "ConvTranspose";
  const int64_t groups = node->int_attribute("group", 1);
  if (groups < 1 || weight.dim(0) % groups != 0) return std::nullopt;
  const int64_t channels = transposed ? weight.dim(1) * groups : weight.dim(0);
  const Tensor* bias = float_constant(*node, 2);
  if (bias != nullptr && (bias->rank() != 1 || bias->count() != channels)) return std::nullopt;
  return FoldTarget{node, channels, weight.rank()};
}

std::optional<FoldTarget> gemm_target(Node* node, const Tensor& weight) {
  if (weight.rank() != 2) return std::nullopt;
  const int64_t channels = weight.dim(node->int_attribute("transB", 0) != 0 ? 0 : 1);
  const Tensor* bias = float_constant(*node, 2);
  if (bias != nullptr && !is_bias_of(*bias, channels)) return std::nullopt;
  return FoldTarget{node, channels, 2};
}

WeightLayout layout_of(const Node& node, const Tensor& weight) {
  int64_t kernel = 1;
  for (size_t axis = 2; axis < weight.rank(); ++axis) kernel *= weight.dim(axis);
  if (node.op_type() == "ConvTranspose") {
    const int64_t inputs_per_group = weight.dim(0) / node.int_attribute("group", 1);
    return {weight.dim(1), kernel, inputs_per_group * weight.dim(1) * kernel};
  }
  const bool channels_last = node.op_type() == "Gemm" && node.int_attribute("transB", 0) == 0;
  if (channels_last) return {weight.dim(1), 1, 0};
  return {weight.dim(0), weight.dim(1) * kernel, 0};
}

Tensor scaled_weight(const Node& node, const Tensor& weight, const std::vector<double>& scale) {
  const WeightLayout layout = layout_of(node, weight);
  const auto source = weight.as<float>();
  Tensor result = Tensor::allocate(DataType::kFloat, weight.dims());
  const auto target = result.mutable_as<float>();
  for (size_t i = 0; i < source.size(); ++i) {
    const auto index = static_cast<int64_t>(i);
    const int64_t group = layout.group_size == 0 ? 0 : index / layout.group_size;
    const int64_t channel = group * layout.per_block + index / layout.stride % layout.per_block;
    target[i] = static_cast<float>(source[i] * scale[static_cast<size_t>(channel)]);
  }
  return result;
}

Tensor mapped_bias(const Tensor* bias, double beta, const ChannelAffine& affine) {
  const auto channels = static_cast<int64_t>(affine.scale.size());
  Tensor result = Tensor::allocate(DataType::kFloat, {channels});
  const auto target = result.mutable_as<float>();
  for (size_t c = 0; c < target.size(); ++c) {
    const double old = bias == nullptr ? 0.0 : beta * bias->as<float>()[bias->count() == 1 ? 0 : c];
    target[c] = static_cast<float>(affine.scale[c] * old + affine.shift[c]);
  }
  return result;
}

bool is_neutral(const std::vector<double>& values, double neutral) {
  for (const double value : values) {
    if (value != neutral) return false;
  }
  return true;
}

}  // namespace

std::optional<FoldTarget> fold_target(const Value* value) {
  if (value == nullptr || !is_private(value) || value->producer() == nullptr) return std::nullopt;
  Node* node = value->producer();
  const bool convolution = is_op(node, "Conv") || is_op(node, "ConvTranspose");
  if (!convolution && !is_op(node, "Gemm")) return std::nullopt;
  const Tensor* weight = float_constant(*node, 1);
  if (weight == nullptr || weight->count() == 0) return std::nullopt;
  if (node->input(2) != nullptr && float_constant(*node, 2) == nullptr) return std::nullopt;
  return convolution ? conv_target(node, *weight) : gemm_target(node, *weight);
}

void fold_into(Graph& graph, const FoldTarget& target, const ChannelAffine& affine) {
  Node* node = target.node;
  if (!is_neutral(affine.scale, 1.0)) {
    set_constant_input(graph, node, 1,
                       scaled_weight(*node, *node->input(1)->constant(), affine.scale), "weight");
  }
  const Tensor* bias = float_constant(*node, 2);
  if (bias == nullptr && is_neutral(affine.shift, 0.0)) return;
  const double beta = node->op_type() == "Gemm" ? node->float_attribute("beta", 1.0F) : 1.0;
  set_constant_input(graph, node, 2, mapped_bias(bias, beta, affine),
                     node->output(0)->name() + "_bias");
  if (node->op_type() == "Gemm") node->remove_attribute("beta");
}

}  // namespace limbeck
