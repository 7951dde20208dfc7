// QDQ patterns without weights: element-wise operators, averages and moves of 8-bit codes.
#include <algorithm>
#include <limits>
#include <utility>

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

/// True when `small` has the batch and the channels of `large` and one pixel.
bool one_a_channel(const Value* small, const Value* large) {
  if (!small->shape || !large->shape || small->shape->size() != large->shape->size() ||
      small->shape->size() < 3)
    return false;
  const auto same = [](const Dim& x, const Dim& y) {
    return x == y && (x.known() || !x.symbol.empty());
  };
  const Shape& s = *small->shape;
  const bool pixel =
      std::all_of(s.begin() + 2, s.end(), [](const Dim& dim) { return dim.value == 1; });
  return pixel && same(s[0], (*large->shape)[0]) && same(s[1], (*large->shape)[1]);
}

/// Add or Mul of codes of one shape, or with one value a channel on one side.
std::optional<Selection> select_codes(QuantizedValue left, QuantizedValue right,
                                      QuantizedBinary op) {
  const bool equal = same_shape(left.codes, right.codes);
  if (!equal && one_a_channel(left.codes, right.codes)) std::swap(left, right);
  if (!equal && !one_a_channel(right.codes, left.codes)) return {};
  op.left = left.params;
  op.right = right.params;
  Selection selection;
  selection.inputs.emplace_back(left.codes);
  selection.inputs.emplace_back(right.codes);
  selection.kernel = make_quantized_binary(op);
  return selection;
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
  const auto left = dequantized_from(scope, node->input(0));
  const auto right = dequantized_from(scope, node->input(1));
  QuantizedBinary op;
  if (!left || !right || !read_clamps(run.functions, &op)) return {};
  op.result = output;
  op.multiply = multiply;
  return select_codes(*left, *right, op);
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

std::optional<Selection> select_quantized_binary(const QuantizedValue& left,
                                                 const QuantizedValue& right,
                                                 const QuantParams& output, bool multiply) {
  QuantizedBinary op;
  read_clamps({}, &op);
  op.result = output;
  op.multiply = multiply;
  return select_codes(left, right, op);
}

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
