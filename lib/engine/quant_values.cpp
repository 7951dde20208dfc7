#include "lib/engine/quant_values.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace limbeck {
namespace {

bool is_8_bit(DataType type) { return type == DataType::kUint8 || type == DataType::kInt8; }

/// One zero point for all, or one for each position of the axis; nothing when they are not
/// constant.
std::optional<std::vector<int64_t>> zero_points(const Scope& scope, const Value* value,
                                                int64_t positions) {
  if (value == nullptr) return std::vector<int64_t>{0};
  const Tensor* tensor = scope.constant(value);
  if (tensor == nullptr || (tensor->count() != 1 && tensor->count() != positions)) return {};
  return tensor->to_int64();
}

/// Codes minus zero points in int8, when they fit.
std::optional<Tensor> centred_codes(const Tensor& codes, const std::vector<int64_t>& zeros,
                                    size_t axis) {
  const bool symmetric = std::all_of(zeros.begin(), zeros.end(), [](int64_t z) { return z == 0; });
  if (symmetric && codes.type() == DataType::kInt8) return codes;
  Tensor result = Tensor::allocate(DataType::kInt8, codes.dims());
  const auto values = codes.to_int64();
  const auto target = result.mutable_as<int8_t>();
  int64_t inner = 1;
  for (size_t i = axis + 1; i < codes.rank(); ++i) inner *= codes.dim(i);
  for (size_t i = 0; i < target.size(); ++i) {
    const auto position = static_cast<int64_t>(i) / inner % codes.dim(axis);
    const int64_t value = values[i] - zeros[zeros.size() == 1 ? 0 : static_cast<size_t>(position)];
    if (value < -128 || value > 127) return {};
    target[i] = static_cast<int8_t>(value);
  }
  return result;
}

}  // namespace

std::optional<QuantParams> read_params(const Scope& scope, DataType type, const Value* scale,
                                       const Value* zero) {
  const Tensor* step = scope.constant(scale);
  if (!is_8_bit(type) || step == nullptr || step->type() != DataType::kFloat || step->count() != 1)
    return {};
  QuantParams params;
  params.scale = step->as<float>()[0];
  params.is_signed = type == DataType::kInt8;
  if (!std::isfinite(params.scale) || params.scale <= 0) return {};
  if (zero == nullptr) return params;
  const Tensor* point = scope.constant(zero);
  if (point == nullptr || point->count() != 1 || point->type() != type) return {};
  params.zero = static_cast<int32_t>(point->to_int64()[0]);
  return params;
}

std::optional<Tensor> read_codes(const Scope& scope, const Value* codes, const Value* zero,
                                 int64_t axis) {
  const Tensor* values = scope.constant(codes);
  const auto rank = values == nullptr ? 0 : static_cast<int64_t>(values->rank());
  if (axis >= rank || values->count() == 0) return {};
  const DataType type = values->type();
  if (!is_8_bit(type) && type != DataType::kInt4 && type != DataType::kUint4) return {};
  const auto zeros = zero_points(scope, zero, values->dim(static_cast<size_t>(axis)));
  if (!zeros) return {};
  return centred_codes(*values, *zeros, static_cast<size_t>(axis));
}

std::optional<QuantizedWeights> read_weights(const Scope& scope, const Value* codes,
                                             const Value* scale, const Value* zero, int64_t axis) {
  const Tensor* steps = scope.constant(scale);
  auto centred = read_codes(scope, codes, zero, axis);
  if (!centred || steps == nullptr || steps->type() != DataType::kFloat) return {};
  const int64_t positions = centred->dim(static_cast<size_t>(axis));
  if (steps->count() != 1 && (steps->count() != positions || steps->rank() != 1)) return {};
  return QuantizedWeights{std::move(*centred), steps->to_float()};
}

std::optional<QuantizedValue> dequantized_from(const Scope& scope, const Value* value) {
  const Node* node = scope.producer(value, "DequantizeLinear");
  if (node == nullptr || scope.constant(node->input(0)) != nullptr) return {};
  const auto params = read_params(scope, node->input(0)->type, node->input(1), node->input(2));
  if (!params) return {};
  return QuantizedValue{node->input(0), *params};
}

std::optional<QuantParams> quantizer_params(const Scope& scope, const Node& node) {
  if (node.op_type() != "QuantizeLinear" || !node.domain().empty()) return {};
  return read_params(scope, node.output(0)->type, node.input(1), node.input(2));
}

std::optional<QuantizedWeights> quantized_weights(const Scope& scope, const Value* value,
                                                  int64_t axis) {
  const Node* node = scope.producer(value, "DequantizeLinear");
  if (node == nullptr || node->int_attribute("block_size", 0) != 0) return {};
  const Tensor* scale = scope.constant(node->input(1));
  const Tensor* codes = scope.constant(node->input(0));
  if (codes == nullptr || scale == nullptr) return {};
  int64_t scale_axis = node->int_attribute("axis", 1);
  scale_axis += scale_axis < 0 ? static_cast<int64_t>(codes->rank()) : 0;
  if (scale->count() != 1 && scale_axis != axis) return {};
  return read_weights(scope, node->input(0), node->input(1), node->input(2), axis);
}

}  // namespace limbeck
