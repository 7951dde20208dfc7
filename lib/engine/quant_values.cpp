#include "lib/engine/quant_values.h"

#include <algorithm>
#include <cmath>

namespace limbeck {
namespace {

bool is_8_bit(DataType type) { return type == DataType::kUint8 || type == DataType::kInt8; }

std::optional<QuantParams> read_params(const Scope& scope, const Node& node, DataType type) {
  const Tensor* scale = scope.constant(node.input(1));
  if (scale == nullptr || scale->type() != DataType::kFloat || scale->count() != 1) return {};
  QuantParams params;
  params.scale = scale->as<float>()[0];
  params.is_signed = type == DataType::kInt8;
  if (!std::isfinite(params.scale) || params.scale <= 0) return {};
  if (node.input(2) == nullptr) return params;
  const Tensor* zero = scope.constant(node.input(2));
  if (zero == nullptr || zero->count() != 1 || zero->type() != type) return {};
  params.zero = static_cast<int32_t>(zero->to_int64()[0]);
  return params;
}

bool all_zero(const Scope& scope, const Value* zero_points) {
  if (zero_points == nullptr) return true;
  const Tensor* tensor = scope.constant(zero_points);
  if (tensor == nullptr) return false;
  const auto values = tensor->to_int64();
  return std::all_of(values.begin(), values.end(), [](int64_t value) { return value == 0; });
}

Tensor unpacked(const Tensor& codes) {
  if (codes.type() == DataType::kInt8) return codes;
  Tensor result = Tensor::allocate(DataType::kInt8, codes.dims());
  const auto values = codes.to_int64();
  const auto target = result.mutable_as<int8_t>();
  for (size_t i = 0; i < target.size(); ++i) target[i] = static_cast<int8_t>(values[i]);
  return result;
}

}  // namespace

std::optional<QuantizedValue> dequantized_from(const Scope& scope, const Value* value) {
  const Node* node = scope.producer(value, "DequantizeLinear");
  if (node == nullptr || scope.constant(node->input(0)) != nullptr) return {};
  if (!is_8_bit(node->input(0)->type)) return {};
  const auto params = read_params(scope, *node, node->input(0)->type);
  if (!params) return {};
  return QuantizedValue{node->input(0), *params};
}

std::optional<QuantParams> quantizer_params(const Scope& scope, const Node& node) {
  if (node.op_type() != "QuantizeLinear" || !node.domain().empty()) return {};
  if (!is_8_bit(node.output(0)->type)) return {};
  return read_params(scope, node, node.output(0)->type);
}

std::optional<QuantizedWeights> quantized_weights(const Scope& scope, const Value* value,
                                                  int64_t axis) {
  const Node* node = scope.producer(value, "DequantizeLinear");
  if (node == nullptr || node->int_attribute("block_size", 0) != 0) return {};
  const Tensor* codes = scope.constant(node->input(0));
  const Tensor* scale = scope.constant(node->input(1));
  if (codes == nullptr || scale == nullptr || scale->type() != DataType::kFloat) return {};
  if (codes->type() != DataType::kInt8 && codes->type() != DataType::kInt4) return {};
  if (!all_zero(scope, node->input(2))) return {};
  const auto rank = static_cast<int64_t>(codes->rank());
  int64_t scale_axis = node->int_attribute("axis", 1);
  scale_axis += scale_axis < 0 ? rank : 0;
  if (scale->count() != 1 &&
      (scale_axis != axis || scale->count() != codes->dim(static_cast<size_t>(axis))))
    return {};
  return QuantizedWeights{unpacked(*codes), scale->to_float()};
}

}  // namespace limbeck
