// Matchers for integer operators of QOperator models: the same steps as for QDQ patterns.
#include <utility>

#include "lib/engine/code_table.h"
#include "lib/engine/integer_pattern.h"
#include "lib/engine/integer_steps.h"
#include "lib/engine/match_float.h"
#include "lib/engine/match_integer.h"

namespace limbeck {
namespace {

bool is_operator(const Node& node, const char* domain, const char* name) {
  return node.domain() == domain && node.op_type() == name;
}
bool is_microsoft(const Node& node, const char* name) {
  return is_operator(node, "com.microsoft", name);
}

DataType type_of(const Value* value) {
  return value == nullptr ? DataType::kUndefined : value->type;
}

/// Codes at `index` with scale and zero point behind them.
std::optional<QuantizedValue> quantized_input(const Scope& scope, const Node& node, size_t index) {
  const Value* codes = node.input(index);
  if (codes == nullptr || scope.constant(codes) != nullptr) return {};
  const auto params =
      read_params(scope, type_of(codes), node.input(index + 1), node.input(index + 2));
  if (!params) return {};
  return QuantizedValue{codes, *params};
}

std::optional<QuantParams> result_params(const Scope& scope, const Node& node, size_t index) {
  return read_params(scope, type_of(node.output(0)), node.input(index), node.input(index + 1));
}

/// The int32 bias, which already counts in units of the accumulator; nothing when it is not a
/// constant of one item a channel.
std::optional<Tensor> integer_bias(const Scope& scope, const Value* value, int64_t channels) {
  if (value == nullptr) return Tensor();
  const Tensor* bias = scope.constant(value);
  if (bias == nullptr || bias->type() != DataType::kInt32 || bias->count() != channels) return {};
  if (!bias->dims().empty() && bias->dims().back() != channels) return {};
  return Tensor::from<float>({channels}, bias->to_float());
}

/// Input triple at 0, weight triple at 3, along `axis`; the bias at `bias`, the result's scale at
/// `result` (left out: float).
std::optional<IntegerPattern> weighted_pattern(const Scope& scope, const Node& node, int64_t axis,
                                               size_t bias, size_t result) {
  const auto input = quantized_input(scope, node, 0);
  auto weights = read_weights(scope, node.input(3), node.input(4), node.input(5), axis);
  if (!input || !weights) return {};
  IntegerPattern pattern;
  pattern.anchor = &node;
  pattern.codes = input->codes;
  pattern.input = input->params;
  pattern.weights = std::move(*weights);
  auto values =
      integer_bias(scope, node.input(bias), pattern.weights.codes.dim(static_cast<size_t>(axis)));
  const auto output = result_params(scope, node, result);
  if (!values || (!output && node.input(result) != nullptr)) return {};
  pattern.bias = std::move(*values);
  pattern.quantized = requantization(pattern, output ? &*output : nullptr);
  return pattern;
}

std::optional<Selection> match_weighted_node(const Scope& scope, const Node& node) {
  if (is_operator(node, "", "QLinearConv")) {
    auto pattern = weighted_pattern(scope, node, 0, 8, 6);
    if (!pattern) return {};
    return select_integer_convolution(std::move(*pattern), false);
  }
  if (is_operator(node, "", "QLinearMatMul")) {
    auto pattern = weighted_pattern(scope, node, 1, 8, 6);
    if (!pattern) return {};
    return select_integer_matmul(std::move(*pattern), false);
  }
  if (!is_microsoft(node, "QGemm") || node.float_attribute("alpha", 1.0F) != 1.0F ||
      node.int_attribute("transA", 0) != 0)
    return {};
  const bool transposed = node.int_attribute("transB", 0) != 0;
  auto pattern = weighted_pattern(scope, node, transposed ? 0 : 1, 6, 7);
  if (!pattern) return {};
  return select_integer_matmul(std::move(*pattern), transposed);
}

/// ConvInteger and MatMulInteger: sums as int32, the zero point of the input often computed.
std::optional<Selection> match_sums(const Scope& scope, const Node& node) {
  const bool convolution = is_operator(node, "", "ConvInteger");
  if (!convolution && !is_operator(node, "", "MatMulInteger")) return {};
  const DataType type = type_of(node.input(0));
  if ((type != DataType::kUint8 && type != DataType::kInt8) ||
      scope.constant(node.input(0)) != nullptr)
    return {};
  const Tensor* codes = scope.constant(node.input(1));
  if (codes == nullptr || codes->rank() < 2) return {};
  IntegerPattern pattern;
  auto weights = read_codes(scope, node.input(1), node.input(3), convolution ? 0 : 1);
  if (!weights) return {};
  pattern.anchor = &node;
  pattern.codes = node.input(0);
  pattern.weights = {std::move(*weights), {1.0F}};
  pattern.quantized.scales = {1.0F};
  pattern.quantized.output_type = DataType::kInt32;
  const Value* zero = node.input(2);
  if (zero != nullptr && (!zero->shape || zero->shape->size() > 1)) return {};
  if (zero != nullptr && zero->shape->size() == 1 && !((*zero->shape)[0] == Dim{1, ""})) return {};
  pattern.runtime_zero = zero;
  return convolution ? select_integer_convolution(std::move(pattern), false)
                     : select_integer_matmul(std::move(pattern), false);
}

std::optional<Selection> match_table_node(const Scope& scope, const Node& node) {
  const bool sigmoid = is_microsoft(node, "QLinearSigmoid");
  if (!sigmoid && !is_microsoft(node, "QLinearLeakyRelu")) return {};
  const auto input = quantized_input(scope, node, 0);
  const auto output = result_params(scope, node, 3);
  if (!input || !output) return {};
  const Unary function = sigmoid ? Unary{UnaryKind::kSigmoid, 0, 0}
                                 : Unary{UnaryKind::kRelu, node.float_attribute("alpha", 0.01F), 0};
  Selection selection;
  selection.inputs.emplace_back(input->codes);
  selection.kernel = make_code_table(code_table(input->params, *output, {function}),
                                     output->is_signed ? DataType::kInt8 : DataType::kUint8);
  return selection;
}

std::optional<Selection> match_binary_node(const Scope& scope, const Node& node) {
  const bool multiply = is_microsoft(node, "QLinearMul");
  if (!multiply && !is_microsoft(node, "QLinearAdd")) return {};
  const auto left = quantized_input(scope, node, 0);
  const auto right = quantized_input(scope, node, 3);
  const auto output = result_params(scope, node, 6);
  if (!left || !right || !output) return {};
  return select_quantized_binary(*left, *right, *output, multiply);
}

std::optional<Selection> match_mean_node(const Scope& scope, const Node& node) {
  if (!is_microsoft(node, "QLinearGlobalAveragePool") ||
      node.int_attribute("channels_last", 0) != 0)
    return {};
  const auto input = quantized_input(scope, node, 0);
  const auto output = result_params(scope, node, 3);
  if (!input || !output || !input->codes->shape || input->codes->shape->size() < 3) return {};
  Selection selection;
  selection.inputs.emplace_back(input->codes);
  selection.kernel = make_quantized_mean({input->params, *output, true, true});
  return selection;
}

/// MaxPool on codes.
std::optional<Selection> match_code_pool(const Node& node) {
  const DataType type = type_of(node.input(0));
  if (!is_operator(node, "", "MaxPool") || (type != DataType::kUint8 && type != DataType::kInt8))
    return {};
  auto selection = match_max_pooling(node);
  if (selection) selection->inputs = {node.input(0)};
  return selection;
}

}  // namespace

std::optional<Selection> match_integer_operators(const Scope& scope, const Node& tail) {
  if (auto weighted = match_weighted_node(scope, tail)) return weighted;
  if (auto sums = match_sums(scope, tail)) return sums;
  if (auto table = match_table_node(scope, tail)) return table;
  if (auto binary = match_binary_node(scope, tail)) return binary;
  if (auto mean = match_mean_node(scope, tail)) return mean;
  if (auto concat = match_code_concat(scope, tail)) return concat;
  return match_code_pool(tail);
}

}  // namespace limbeck
