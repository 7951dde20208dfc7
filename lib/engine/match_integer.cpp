#include "lib/engine/match_integer.h"

#include <algorithm>
#include <utility>

#include "lib/engine/chain.h"
#include "lib/engine/conv_window.h"
#include "lib/engine/onednn/convolution.h"
#include "lib/engine/onednn/matmul.h"
#include "lib/engine/quant_values.h"

namespace limbeck {
namespace {

using onednn::Requantization;

/// Everything that the integer kernels need, read from one pattern.
struct IntegerPattern {
  Chain chain;
  QuantizedValue input;
  QuantizedWeights weights;
  Tensor bias;  ///< float, in units of the accumulator; empty for none
  Requantization quantized;
};

int64_t channel_axis(const Node& anchor) {
  const std::string& op = anchor.op_type();
  if (op == "Conv") return 0;
  if (op == "Gemm") return anchor.int_attribute("transB", 0) != 0 ? 0 : 1;
  return 1;
}

bool keeps_unit(const PostOp& op) {
  if (op.is_add) return false;
  const bool relu = op.unary.kind == UnaryKind::kRelu;
  return relu || op.unary.kind == UnaryKind::kClip;
}

/// In units of input scale times weight scale. The int32 codes themselves where the model has them.
std::optional<Tensor> accumulator_bias(const Scope& scope, const Node& anchor, float input_scale,
                                       const std::vector<float>& weight_scales, int64_t channels) {
  const Value* value = anchor.op_type() == "MatMul" ? nullptr : anchor.input(2);
  if (value == nullptr) return Tensor();
  const Tensor* bias = scope.constant(value);
  if (bias == nullptr || bias->type() != DataType::kFloat || bias->count() != channels) return {};
  if (!bias->dims().empty() && bias->dims().back() != channels) return {};
  std::vector<float> values = bias->to_float();
  for (size_t c = 0; c < values.size(); ++c) {
    const float weight_scale = weight_scales[weight_scales.size() == 1 ? 0 : c];
    values[c] /= input_scale * weight_scale;
  }
  return Tensor::from<float>({channels}, values);
}

/// How accumulators become results. `output` null: real values.
Requantization requantization(const IntegerPattern& pattern, const QuantParams* output) {
  Requantization result;
  result.input_zero = pattern.input.params.zero;
  const PostOps& ops = pattern.chain.post_ops;
  const bool folded = output != nullptr && std::all_of(ops.begin(), ops.end(), keeps_unit);
  const float divisor = folded ? output->scale : 1.0F;
  for (const float scale : pattern.weights.scales)
    result.scales.push_back(pattern.input.params.scale * scale / divisor);
  if (output == nullptr) return result;
  result.output_type = output->is_signed ? DataType::kInt8 : DataType::kUint8;
  result.output_zero = output->zero;
  result.unit = folded ? output->scale : 1.0F;
  result.requantize = folded ? 1.0F : 1.0F / output->scale;
  return result;
}

bool plain_gemm(const Node& anchor) {
  if (anchor.op_type() != "Gemm") return true;
  return anchor.float_attribute("alpha", 1.0F) == 1.0F &&
         anchor.float_attribute("beta", 1.0F) == 1.0F && anchor.int_attribute("transA", 0) == 0;
}

std::optional<IntegerPattern> find_pattern(const Scope& scope, const Value* value,
                                           const QuantParams* output) {
  auto chain = find_chain(scope, value);
  if (!chain || !chain->affines.empty() || !chain->addends.empty()) return {};
  const Node& anchor = *chain->anchor;
  if (!plain_gemm(anchor)) return {};
  const auto input = dequantized_from(scope, anchor.input(0));
  if (!input) return {};
  auto weights = quantized_weights(scope, anchor.input(1), channel_axis(anchor));
  const int64_t channels = anchor_channels(scope, anchor);
  if (!weights || channels <= 0) return {};
  auto bias = accumulator_bias(scope, anchor, input->params.scale, weights->scales, channels);
  if (!bias) return {};
  IntegerPattern pattern{std::move(*chain), *input, std::move(*weights), std::move(*bias), {}};
  pattern.quantized = requantization(pattern, output);
  return pattern;
}

std::optional<Selection> select_convolution(IntegerPattern pattern) {
  const Node& anchor = *pattern.chain.anchor;
  const Dims& dims = pattern.weights.codes.dims();
  const bool transposed = anchor.op_type() == "ConvTranspose";
  if (dims.size() < 3) return {};
  const auto window = conv_window(anchor, {dims.begin() + 2, dims.end()});
  const int64_t groups = anchor.int_attribute("group", 1);
  if (!window || groups < 1 || dims[0] % groups != 0) return {};
  const bool automatic = anchor.has_attribute("output_shape") || window->auto_pad != "NOTSET";
  if (transposed && (automatic || groups > 1 || !pattern.chain.post_ops.empty())) return {};
  onednn::ConvolutionSpec spec;
  spec.place = anchor.place();
  spec.transposed = transposed;
  spec.groups = groups;
  spec.strides = window->strides;
  spec.dilations = window->dilations;
  spec.pads = window->pads;
  spec.auto_pad = window->auto_pad;
  spec.output_padding = anchor.ints_attribute("output_padding", Dims(dims.size() - 2, 0));
  if (spec.output_padding.size() != dims.size() - 2) return {};
  spec.weights = std::move(pattern.weights.codes);
  spec.bias = std::move(pattern.bias);
  spec.post_ops = std::move(pattern.chain.post_ops);
  spec.quantized = std::move(pattern.quantized);
  Selection selection;
  selection.weighted = &anchor;
  selection.integer = true;
  selection.inputs.emplace_back(pattern.input.codes);
  selection.kernel = onednn::make_convolution(std::move(spec));
  return selection;
}

std::optional<Selection> select_matmul(IntegerPattern pattern) {
  const Node& anchor = *pattern.chain.anchor;
  const Value* input = anchor.input(0);
  if (pattern.weights.codes.rank() != 2 || !input->shape || input->shape->size() < 2) return {};
  onednn::MatmulSpec spec;
  spec.place = anchor.place();
  spec.transpose_right = channel_axis(anchor) == 0;
  spec.weights = std::move(pattern.weights.codes);
  spec.bias = std::move(pattern.bias);
  spec.post_ops = std::move(pattern.chain.post_ops);
  spec.quantized = std::move(pattern.quantized);
  Selection selection;
  selection.weighted = &anchor;
  selection.integer = true;
  selection.inputs.emplace_back(pattern.input.codes);
  selection.kernel = onednn::make_matmul(std::move(spec));
  return selection;
}

}  // namespace

std::optional<Selection> match_integer_weighted(const Scope& scope, const Node& tail) {
  const auto output = quantizer_params(scope, tail);
  const Value* value = output ? tail.input(0) : tail.output(0);
  if (output && !scope.is_inner(value)) return {};
  auto pattern = find_pattern(scope, value, output ? &*output : nullptr);
  if (!pattern) return {};
  if (pattern->chain.anchor->op_type().starts_with("Conv"))
    return select_convolution(std::move(*pattern));
  return select_matmul(std::move(*pattern));
}

}  // namespace limbeck
