#include "lib/engine/integer_pattern.h"

#include <algorithm>
#include <utility>

#include "lib/engine/conv_window.h"
#include "lib/engine/exact_steps.h"
#include "lib/engine/onednn/matmul.h"

namespace limbeck {
namespace {

/// Functions that commute with a positive scale.
bool keeps_unit(const PostOp& op) {
  if (op.is_add) return false;
  return op.unary.kind == UnaryKind::kRelu || op.unary.kind == UnaryKind::kClip;
}

Selection weighted_selection(const IntegerPattern& pattern) {
  Selection selection;
  selection.weighted = pattern.anchor;
  selection.integer = true;
  selection.inputs.emplace_back(pattern.codes);
  if (pattern.runtime_zero != nullptr) selection.inputs.emplace_back(pattern.runtime_zero);
  return selection;
}

/// Only our own kernels take a zero point at run time, and hand out sums that passed no float.
bool use_onednn(const IntegerPattern& pattern) {
  return onednn::integer_kernels_are_exact() && pattern.runtime_zero == nullptr &&
         pattern.quantized.output_type != DataType::kInt32;
}

}  // namespace

onednn::Requantization requantization(const IntegerPattern& pattern, const QuantParams* output) {
  onednn::Requantization result;
  result.input_zero = pattern.input.zero;
  const PostOps& ops = pattern.post_ops;
  const bool folded = output != nullptr && std::all_of(ops.begin(), ops.end(), keeps_unit);
  const float divisor = folded ? output->scale : 1.0F;
  for (const float scale : pattern.weights.scales)
    result.scales.push_back(pattern.input.scale * scale / divisor);
  if (output == nullptr) return result;
  result.output_type = output->is_signed ? DataType::kInt8 : DataType::kUint8;
  result.output_zero = output->zero;
  result.unit = folded ? output->scale : 1.0F;
  result.requantize = folded ? 1.0F : 1.0F / output->scale;
  return result;
}

std::optional<Selection> select_integer_convolution(IntegerPattern pattern, bool transposed) {
  const Node& anchor = *pattern.anchor;
  const Dims dims = pattern.weights.codes.dims();
  if (dims.size() < 3) return {};
  const auto window = conv_window(anchor, {dims.begin() + 2, dims.end()});
  const int64_t groups = anchor.int_attribute("group", 1);
  if (!window || groups < 1 || dims[0] % groups != 0) return {};
  const bool automatic = anchor.has_attribute("output_shape") || window->auto_pad != "NOTSET";
  if (transposed && (automatic || groups > 1 || !pattern.post_ops.empty())) return {};
  Selection selection = weighted_selection(pattern);
  const bool exact_already = use_onednn(pattern);
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
  spec.post_ops = std::move(pattern.post_ops);
  spec.quantized = std::move(pattern.quantized);
  if (exact_already && onednn::sums_weights_rightly(spec)) {
    selection.kernel = onednn::make_convolution(std::move(spec));
    return selection;
  }
  if (!exact_convolution_fits(spec)) return {};
  selection.kernel = make_exact_convolution(std::move(spec));
  return selection;
}

std::optional<Selection> select_integer_matmul(IntegerPattern pattern, bool transpose_right) {
  const Value* input = pattern.codes;
  if (pattern.weights.codes.rank() != 2 || !input->shape || input->shape->size() < 2) return {};
  Selection selection = weighted_selection(pattern);
  const bool exact_already = use_onednn(pattern);
  onednn::MatmulSpec spec;
  spec.place = pattern.anchor->place();
  spec.transpose_right = transpose_right;
  spec.weights = std::move(pattern.weights.codes);
  spec.bias = std::move(pattern.bias);
  spec.post_ops = std::move(pattern.post_ops);
  spec.quantized = std::move(pattern.quantized);
  selection.kernel =
      exact_already ? onednn::make_matmul(std::move(spec)) : make_exact_matmul(std::move(spec));
  return selection;
}

}  // namespace limbeck
