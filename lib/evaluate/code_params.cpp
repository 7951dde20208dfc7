#include "lib/evaluate/code_params.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace limbeck {
namespace {

/// Operators in a row that hand codes on before one tells how to read them.
constexpr int kDeepest = 16;
constexpr std::array<std::string_view, 13> kHandOn = {
    "Clip",    "DepthToSpace", "Flatten", "Gather",  "Identity",  "MaxPool",  "Relu",
    "Reshape", "Resize",       "Slice",   "Squeeze", "Transpose", "Unsqueeze"};

bool reads_codes(const Node& node) {
  const std::string& op = node.op_type();
  return op == "DequantizeLinear" || op == "QGemm" || op.starts_with("QLinear");
}

bool hands_on(const Node& node) {
  return node.domain().empty() &&
         std::find(kHandOn.begin(), kHandOn.end(), node.op_type()) != kHandOn.end();
}

/// A missing zero point is zero.
std::optional<AffineParams> params_at(const Node& node, size_t scale_index) {
  const Value* scale = node.input(scale_index);
  const Value* zero = node.input(scale_index + 1);
  if (scale == nullptr || scale->constant() == nullptr || scale->constant()->count() != 1)
    return std::nullopt;
  AffineParams params{scale->constant()->to_float()[0], 0};
  if (zero == nullptr) return params;
  if (zero->constant() == nullptr || zero->constant()->count() != 1) return std::nullopt;
  params.zero_point = static_cast<int32_t>(zero->constant()->to_int64()[0]);
  return params;
}

std::optional<AffineParams> params_of_readers(const Value& value, int depth) {
  for (const Use& use : value.uses()) {
    if (!reads_codes(*use.node)) continue;
    if (const auto params = params_at(*use.node, use.index + 1)) return params;
  }
  if (depth == kDeepest) return std::nullopt;
  for (const Use& use : value.uses()) {
    const Value* result = use.node->output(0);
    if (use.index != 0 || result == nullptr || !hands_on(*use.node)) continue;
    return params_of_readers(*result, depth + 1);
  }
  return std::nullopt;
}

}  // namespace

std::optional<AffineParams> code_params(const Value& value) {
  const Node* producer = value.producer();
  if (producer != nullptr && producer->op_type() == "QuantizeLinear")
    return params_at(*producer, 1);
  return params_of_readers(value, 0);
}

bool is_float_activation(const Value* value) {
  return value != nullptr && value->constant() == nullptr &&
         (value->type == DataType::kFloat || value->type == DataType::kUndefined);
}

std::vector<float> dequantized_values(const Tensor& codes, const AffineParams& params) {
  std::vector<float> values = codes.to_float();
  for (float& value : values) value = dequantize_value(static_cast<int32_t>(value), params);
  return values;
}

}  // namespace limbeck
