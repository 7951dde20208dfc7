#include "lib/engine/match_integer.h"

#include <utility>

#include "lib/engine/chain.h"
#include "lib/engine/integer_pattern.h"

namespace limbeck {
namespace {

int64_t channel_axis(const Node& anchor) {
  const std::string& op = anchor.op_type();
  if (op == "Conv") return 0;
  if (op == "Gemm") return anchor.int_attribute("transB", 0) != 0 ? 0 : 1;
  return 1;
}

/// In units of input scale times weight scale.
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
  IntegerPattern pattern;
  pattern.anchor = &anchor;
  pattern.post_ops = std::move(chain->post_ops);
  pattern.codes = input->codes;
  pattern.input = input->params;
  pattern.weights = std::move(*weights);
  pattern.bias = std::move(*bias);
  pattern.quantized = requantization(pattern, output);
  return pattern;
}

}  // namespace

std::optional<Selection> match_integer_weighted(const Scope& scope, const Node& tail) {
  const auto output = quantizer_params(scope, tail);
  const Value* value = output ? tail.input(0) : tail.output(0);
  if (output && !scope.is_inner(value)) return {};
  auto pattern = find_pattern(scope, value, output ? &*output : nullptr);
  if (!pattern) return {};
  const Node& anchor = *pattern->anchor;
  if (anchor.op_type().starts_with("Conv"))
    return select_integer_convolution(std::move(*pattern), anchor.op_type() == "ConvTranspose");
  return select_integer_matmul(std::move(*pattern), channel_axis(anchor) == 0);
}

}  // namespace limbeck
