#include <cstddef>

#include "lib/engine/match_float.h"

namespace limbeck {
namespace {

/// Where the output channel lies in a weight tensor: element i belongs to channel (i / inner) %
/// count, plus the group's offset for transposed convolutions.
struct ChannelIndex {
  size_t inner = 1;
  size_t count = 1;
  size_t group_elements = 0;  ///< 0: not grouped
  size_t operator()(size_t element) const {
    const size_t within = element / inner % count;
    return group_elements == 0 ? within : element / group_elements * count + within;
  }
};

ChannelIndex channel_index(const Node& anchor, const Tensor& weights) {
  ChannelIndex index;
  const std::string& op = anchor.op_type();
  size_t axis = 1;
  if (op == "Conv" || (op == "Gemm" && anchor.int_attribute("transB", 0) != 0)) axis = 0;
  index.count = static_cast<size_t>(weights.dim(axis));
  for (size_t i = axis + 1; i < weights.rank(); ++i)
    index.inner *= static_cast<size_t>(weights.dim(i));
  if (op == "ConvTranspose") {
    const auto groups = static_cast<size_t>(anchor.int_attribute("group", 1));
    index.group_elements = static_cast<size_t>(weights.count()) / (groups == 0 ? 1 : groups);
  }
  return index;
}

/// The anchor's own bias, zeros when it has none; nothing when it is not a constant vector of the
/// right length.
std::optional<std::vector<float>> own_bias(const Scope& scope, const Node& anchor,
                                           size_t channels) {
  if (anchor.op_type() == "MatMul" || anchor.input(2) == nullptr)
    return std::vector<float>(channels, 0.0F);
  const Tensor* tensor = scope.constant(anchor.input(2));
  if (tensor == nullptr || tensor->type() != DataType::kFloat) return std::nullopt;
  std::vector<float> values = tensor->to_float();
  const bool spread = anchor.op_type() == "Gemm" && values.size() == 1;
  if (spread) values.resize(channels, values[0]);
  const bool vector = spread || (tensor->rank() > 0 && tensor->dims().back() == tensor->count());
  if (values.size() != channels || !vector) return std::nullopt;
  const float beta = anchor.op_type() == "Gemm" ? anchor.float_attribute("beta", 1.0F) : 1.0F;
  for (float& value : values) value *= beta;
  return values;
}

}  // namespace

std::optional<FoldedWeights> fold_affines(const Scope& scope, const Chain& chain) {
  const Node& anchor = *chain.anchor;
  const Tensor* weights = scope.constant(anchor.input(1));
  const int64_t channels = anchor_channels(scope, anchor);
  if (weights == nullptr || weights->type() != DataType::kFloat || channels <= 0 ||
      weights->count() == 0)
    return std::nullopt;
  auto bias = own_bias(scope, anchor, static_cast<size_t>(channels));
  if (!bias) return std::nullopt;
  const float alpha = anchor.op_type() == "Gemm" ? anchor.float_attribute("alpha", 1.0F) : 1.0F;
  std::vector<float> scale(bias->size(), alpha);
  for (const ChannelAffine& affine : chain.affines) {
    if (affine.scale.size() != scale.size()) return std::nullopt;
    for (size_t c = 0; c < scale.size(); ++c) {
      scale[c] *= affine.scale[c];
      (*bias)[c] = (*bias)[c] * affine.scale[c] + affine.shift[c];
    }
  }
  FoldedWeights folded{*weights, {}};
  if (!chain.affines.empty() || alpha != 1.0F) {
    folded.weights = weights->clone();
    const ChannelIndex index = channel_index(anchor, *weights);
    const auto values = folded.weights.mutable_as<float>();
    for (size_t i = 0; i < values.size(); ++i) values[i] *= scale[index(i)];
  }
  const bool has_bias = anchor.input(2) != nullptr || !chain.affines.empty();
  if (has_bias) folded.bias = Tensor::from<float>({channels}, *bias);
  return folded;
}

}  // namespace limbeck
