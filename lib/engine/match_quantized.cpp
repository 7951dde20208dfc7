// QDQ patterns without weights: element-wise operators, averages and moves of 8-bit codes.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "lib/engine/chain.h"
#include "lib/engine/integer_steps.h"
#include "lib/engine/match_float.h"
#include "lib/engine/match_integer.h"
#include "lib/engine/match_unary.h"
#include "lib/engine/quant_values.h"
#include "lib/ops/op.h"

namespace limbeck {
namespace {

constexpr int kMaxFunctions = 8;

/// What function nodes between `value` and their source do, in order; empty functions when `value`
/// is itself the source.
struct FunctionRun {
  std::vector<Unary> functions;
  const Value* source = nullptr;
};

FunctionRun functions_before(const Scope& scope, const Value* value) {
  FunctionRun run{{}, value};
  for (int i = 0; i < kMaxFunctions && run.source->producer() != nullptr; ++i) {
    const auto match = match_unary(scope, *run.source->producer());
    if (!match || !scope.is_inner(run.source)) break;
    run.functions.insert(run.functions.begin(), match->functions.begin(), match->functions.end());
    run.source = match->input;
    if (match->uses != 1 && !scope.is_inner(run.source, match->uses)) break;
  }
  return run;
}

double apply(const Unary& unary, double x) {
  switch (unary.kind) {
    case UnaryKind::kRelu: return x > 0 ? x : unary.alpha * x;
    case UnaryKind::kClip:
      return std::min(std::max(x, static_cast<double>(unary.alpha)),
                      static_cast<double>(unary.beta));
    case UnaryKind::kSigmoid: return 1 / (1 + std::exp(-x));
    case UnaryKind::kTanh: return std::tanh(x);
    case UnaryKind::kSwish: return x / (1 + std::exp(-unary.alpha * x));
    case UnaryKind::kHardSwish: return x * std::clamp(x + 3, 0.0, 6.0) / 6;
    case UnaryKind::kLinear: return unary.alpha * x + unary.beta;
    case UnaryKind::kElu: return x > 0 ? x : unary.alpha * (std::exp(x) - 1);
    case UnaryKind::kExp: return std::exp(x);
    case UnaryKind::kSqrt: return std::sqrt(x);
    case UnaryKind::kAbs: return std::fabs(x);
  }
  return x;
}

/// The result of every possible code.
std::array<uint8_t, 256> code_table(const QuantParams& input, const QuantParams& output,
                                    const std::vector<Unary>& functions) {
  std::array<float, 256> real{};
  for (int i = 0; i < 256; ++i) {
    const int32_t code = input.is_signed ? static_cast<int8_t>(i) : i;
    double x = static_cast<float>(code - input.zero) * input.scale;
    for (const Unary& unary : functions) x = apply(unary, x);
    real[static_cast<size_t>(i)] = static_cast<float>(x);
  }
  std::array<uint8_t, 256> table{};
  quantize_values(real.data(), table.data(), 256, output);
  return table;
}

DataType code_type(const QuantParams& params) {
  return params.is_signed ? DataType::kInt8 : DataType::kUint8;
}

/// Only clamps may stand between the operator and its QuantizeLinear in the two-tensor kernel.
bool read_clamps(const std::vector<Unary>& functions, QuantizedBinary* op) {
  op->low = std::numeric_limits<float>::lowest();
  op->high = std::numeric_limits<float>::max();
  for (const Unary& unary : functions) {
    if (unary.kind == UnaryKind::kRelu && unary.alpha == 0) {
      op->low = std::max(op->low, 0.0F);
      op->high = std::max(op->high, 0.0F);
    } else if (unary.kind == UnaryKind::kClip) {
      op->low = std::clamp(op->low, unary.alpha, unary.beta);
      op->high = std::clamp(op->high, unary.alpha, unary.beta);
    } else {
      return false;
    }
  }
  return true;
}

std::optional<Selection> select_table(const Scope& scope, const FunctionRun& run,
                                      const QuantParams& output) {
  const auto input = dequantized_from(scope, run.source);
  if (!input) return {};
  Selection selection;
  selection.inputs.emplace_back(input->codes);
  selection.kernel =
      make_code_table(code_table(input->params, output, run.functions), code_type(output));
  return selection;
}

std::optional<Selection> select_binary(const Scope& scope, const FunctionRun& run,
                                       const QuantParams& output) {
  const Node* node = run.source->producer();
  const bool add = node != nullptr && node->domain().empty() && node->op_type() == "Add";
  const bool multiply = node != nullptr && node->domain().empty() && node->op_type() == "Mul";
  if ((!add && !multiply) || !scope.is_inner(run.source)) return {};
  if (!same_shape(node->input(0), node->input(1))) return {};
  const auto left = dequantized_from(scope, node->input(0));
  const auto right = dequantized_from(scope, node->input(1));
  QuantizedBinary op;
  if (!left || !right || !read_clamps(run.functions, &op)) return {};
  op.left = left->params;
  op.right = right->params;
  op.result = output;
  op.multiply = multiply;
  Selection selection;
  selection.inputs.emplace_back(left->codes);
  selection.inputs.emplace_back(right->codes);
  selection.kernel = make_quantized_binary(op);
  return selection;
}

std::optional<Selection> select_mean(const Scope& scope, const Value* value,
                                     const QuantParams* output) {
  const Node* node = value->producer();
  if (node == nullptr || !node->domain().empty()) return {};
  const Value* source = node->input(0);
  if (source == nullptr || !source->shape || source->shape->size() < 3) return {};
  const bool pool = node->op_type() == "GlobalAveragePool";
  if (!pool && !reduces_image(scope, *node)) return {};
  const auto input = dequantized_from(scope, source);
  if (!input) return {};
  QuantizedMean op;
  op.input = input->params;
  op.quantized = output != nullptr;
  if (output != nullptr) op.result = *output;
  op.keep = pool || node->int_attribute("keepdims", 1) != 0;
  Selection selection;
  selection.inputs.emplace_back(input->codes);
  selection.kernel = make_quantized_mean(op);
  return selection;
}

/// Operators that hand values on without computing; the first input is the data.
bool only_moves(const Scope& scope, const Node& node) {
  const OpRow* row = find_op(node.domain(), node.op_type(), scope.opset(node.domain()));
  if (row == nullptr || row->role != QuantRole::kSameScale) return false;
  const std::string& op = node.op_type();
  if (op == "Resize" || op == "Upsample")
    return node.string_attribute("mode", "nearest") == "nearest";
  if (op == "Pad") return false;  // the padding value would have to be translated
  return op != "Dropout" && op != "Gather" && op != "Split" && op != "GlobalMaxPool" &&
         op != "Expand" && op != "Tile" && op != "ReduceMax" && op != "ReduceMin";
}

std::optional<Selection> select_pool(const Node& node, const Value* codes) {
  auto selection = match_max_pooling(node);
  if (!selection) return {};
  selection->inputs = {codes};
  return selection;
}

}  // namespace

std::optional<Selection> match_integer_elementwise(const Scope& scope, const Node& tail) {
  const auto output = quantizer_params(scope, tail);
  if (!output) return select_mean(scope, tail.output(0), nullptr);
  const Value* value = tail.input(0);
  if (scope.constant(value) != nullptr) return {};
  const FunctionRun run = functions_before(scope, value);
  if (auto table = select_table(scope, run, *output)) return table;
  if (auto binary = select_binary(scope, run, *output)) return binary;
  if (!scope.is_inner(value)) return {};
  return select_mean(scope, value, &*output);
}

std::optional<Selection> match_integer_moves(const Scope& scope, const Node& tail) {
  const auto output = quantizer_params(scope, tail);
  if (!output || !scope.is_inner(tail.input(0))) return {};
  const Node* node = tail.input(0)->producer();
  if (node == nullptr || !only_moves(scope, *node)) return {};
  const auto input = dequantized_from(scope, node->input(0));
  if (!input || !(input->params == *output)) return {};
  if (node->op_type() == "MaxPool") return select_pool(*node, input->codes);
  const int64_t opset = scope.opset(node->domain());
  Selection selection;
  selection.kernel =
      make_reference_step(find_op(node->domain(), node->op_type(), opset)->kernel(*node, opset));
  selection.inputs.emplace_back(input->codes);
  for (size_t i = 1; i < node->inputs().size(); ++i) selection.inputs.emplace_back(node->input(i));
  return selection;
}

std::optional<Selection> match_conversions(const Scope& scope, const Node& tail) {
  Selection selection;
  if (const auto output = quantizer_params(scope, tail)) {
    if (tail.input(0)->type != DataType::kFloat) return {};
    selection.inputs.emplace_back(tail.input(0));
    selection.kernel = make_quantize(*output);
    return selection;
  }
  const auto input = dequantized_from(scope, tail.output(0));
  if (!input) return {};
  selection.inputs.emplace_back(input->codes);
  selection.kernel = make_dequantize(input->params);
  return selection;
}

}  // namespace limbeck
