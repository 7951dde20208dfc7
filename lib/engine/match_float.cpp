#include "lib/engine/match_float.h"

#include <algorithm>
#include <utility>

#include "lib/engine/conv_window.h"
#include "lib/engine/match_unary.h"
#include "lib/engine/onednn/convolution.h"
#include "lib/engine/onednn/elementwise.h"
#include "lib/engine/onednn/matmul.h"
#include "lib/engine/onednn/pooling.h"

namespace limbeck {
namespace {

bool is_float(const Value* value) { return value != nullptr && value->type == DataType::kFloat; }

std::optional<Selection> select_convolution(const Scope& scope, Chain chain, FoldedWeights folded) {
  const Node& anchor = *chain.anchor;
  const bool transposed = anchor.op_type() == "ConvTranspose";
  const Dims dims = folded.weights.dims();  // a copy: the weights move on
  if (dims.size() < 3) return std::nullopt;
  auto window = conv_window(anchor, {dims.begin() + 2, dims.end()});
  const int64_t groups = anchor.int_attribute("group", 1);
  if (!window || groups < 1 || dims[0] % groups != 0) return std::nullopt;
  const bool automatic =
      anchor.has_attribute("output_shape") || window->auto_pad.starts_with("SAME");
  if (transposed && (automatic || !chain.post_ops.empty())) return std::nullopt;
  Selection selection;
  selection.weighted = &anchor;
  selection.inputs.emplace_back(transposed ? anchor.input(0)
                                           : absorb_padding(scope, anchor.input(0), *window));
  for (const Value* addend : chain.addends) selection.inputs.emplace_back(addend);
  onednn::ConvolutionSpec spec;
  spec.place = anchor.place();
  spec.transposed = transposed;
  spec.weights = std::move(folded.weights);
  spec.bias = std::move(folded.bias);
  spec.groups = groups;
  spec.strides = window->strides;
  spec.dilations = window->dilations;
  spec.pads = window->pads;
  spec.output_padding = anchor.ints_attribute("output_padding", Dims(dims.size() - 2, 0));
  spec.auto_pad = window->auto_pad;
  spec.post_ops = std::move(chain.post_ops);
  if (spec.output_padding.size() != dims.size() - 2) return std::nullopt;
  selection.kernel = onednn::make_convolution(std::move(spec));
  return selection;
}

std::optional<Selection> select_matmul(const Chain& chain, FoldedWeights folded) {
  const Node& anchor = *chain.anchor;
  const bool gemm = anchor.op_type() == "Gemm";
  const Value* left = anchor.input(0);
  if (folded.weights.rank() != 2 || (gemm && anchor.int_attribute("transA", 0) != 0))
    return std::nullopt;
  if (!left->shape || left->shape->size() < 2) return std::nullopt;
  Selection selection;
  selection.weighted = &anchor;
  selection.inputs.emplace_back(left);
  onednn::MatmulSpec spec;
  spec.place = anchor.place();
  spec.weights = std::move(folded.weights);
  spec.transpose_right = gemm && anchor.int_attribute("transB", 0) != 0;
  spec.bias = std::move(folded.bias);
  spec.post_ops = chain.post_ops;
  selection.kernel = onednn::make_matmul(std::move(spec));
  return selection;
}

std::optional<onednn::BinaryKind> binary_kind(const std::string& op) {
  using onednn::BinaryKind;
  static const std::pair<const char*, BinaryKind> kKinds[] = {
      {"Add", BinaryKind::kAdd},    {"Sub", BinaryKind::kSubtract}, {"Mul", BinaryKind::kMultiply},
      {"Div", BinaryKind::kDivide}, {"Max", BinaryKind::kMaximum},  {"Min", BinaryKind::kMinimum}};
  for (const auto& [name, kind] : kKinds) {
    if (op == name) return kind;
  }
  return std::nullopt;
}

/// The functions between `value` and the first value, going backwards, that another kind of node
/// computes.
std::pair<std::vector<Unary>, const Value*> trailing_functions(const Scope& scope,
                                                               const Node& tail) {
  std::vector<Unary> reversed;
  const Node* node = &tail;
  const Value* value = tail.output(0);
  for (int length = 0; length < 8 && node != nullptr; ++length) {
    const auto match = match_unary(scope, *node);
    if (!match) break;
    reversed.insert(reversed.end(), match->functions.rbegin(), match->functions.rend());
    value = match->input;
    if (!scope.is_inner(value, match->uses)) break;
    node = value->producer();
  }
  std::vector<Unary> functions;
  for (auto it = reversed.rbegin(); it != reversed.rend(); ++it) append_function(functions, *it);
  return {std::move(functions), value};
}

/// Constants get the rank of the other side, so that broadcasting does not depend on the order of
/// bytes.
Operand ranked_operand(const Scope& scope, const Node& node, size_t index) {
  const Tensor* tensor = scope.constant(node.input(index));
  const Value* other = node.input(1 - index);
  if (tensor == nullptr || !other->shape || tensor->rank() >= other->shape->size())
    return node.input(index);
  Dims dims(other->shape->size() - tensor->rank(), 1);
  dims.insert(dims.end(), tensor->dims().begin(), tensor->dims().end());
  return Operand(tensor->reshaped(dims));
}

}  // namespace

std::optional<Selection> match_weighted(const Scope& scope, const Node& tail) {
  auto chain = find_chain(scope, tail.output(0));
  if (!chain || !is_float(chain->anchor->input(0)) ||
      scope.constant(chain->anchor->input(0)) != nullptr)
    return std::nullopt;
  auto folded = fold_affines(scope, *chain);
  if (!folded) return std::nullopt;
  if (chain->anchor->op_type().starts_with("Conv"))
    return select_convolution(scope, std::move(*chain), std::move(*folded));
  return select_matmul(*chain, std::move(*folded));
}

std::optional<Selection> match_dynamic_matmul(const Scope& scope, const Node& tail) {
  const Node* node = scope.producer(tail.output(0), "MatMul");
  if (node == nullptr || !is_float(node->input(0)) || !is_float(node->input(1)))
    return std::nullopt;
  for (const size_t side : {size_t{0}, size_t{1}}) {
    const Value* input = node->input(side);
    if (!input->shape || input->shape->size() < 2) return std::nullopt;
  }
  onednn::MatmulSpec spec;
  spec.place = node->place();
  Selection selection;
  selection.weighted = node;
  selection.inputs = {node->input(0), node->input(1)};
  selection.kernel = onednn::make_matmul(std::move(spec));
  return selection;
}

std::optional<Selection> match_binary(const Scope& scope, const Node& tail) {
  auto [functions, value] = trailing_functions(scope, tail);
  const Node* node = value->producer();
  if (node == nullptr || !node->domain().empty() || node->inputs().size() != 2) return std::nullopt;
  if (node != &tail && !scope.is_inner(value)) return std::nullopt;
  const auto kind = binary_kind(node->op_type());
  if (!kind || !is_float(node->input(0)) || !is_float(node->input(1))) return std::nullopt;
  if (!node->input(0)->shape || !node->input(1)->shape) return std::nullopt;
  Selection selection;
  selection.inputs = {ranked_operand(scope, *node, 0), ranked_operand(scope, *node, 1)};
  selection.kernel = onednn::make_binary(node->place(), *kind, std::move(functions));
  return selection;
}

std::optional<Selection> match_function(const Scope& scope, const Node& tail) {
  auto [functions, value] = trailing_functions(scope, tail);
  if (functions.empty() || value == tail.output(0)) return std::nullopt;
  Selection selection;
  selection.inputs = {value};
  selection.kernel = onednn::make_unary(tail.place(), std::move(functions));
  return selection;
}

}  // namespace limbeck
