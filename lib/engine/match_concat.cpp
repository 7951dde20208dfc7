// Concat of whatever type, of 8-bit codes between conversions, and QLinearConcat.
#include <utility>

#include "lib/engine/concat_step.h"
#include "lib/engine/match_float.h"
#include "lib/engine/match_integer.h"
#include "lib/engine/quant_values.h"

namespace limbeck {
namespace {

/// Axis of a Concat in [0, rank), when the rank of its first data input is known.
std::optional<size_t> concat_axis(const Node& node, const Value* data) {
  if (data == nullptr || !data->shape || data->shape->empty()) return {};
  const auto rank = static_cast<int64_t>(data->shape->size());
  int64_t axis = node.int_attribute("axis", 0);
  axis += axis < 0 ? rank : 0;
  if (axis < 0 || axis >= rank) return {};
  return static_cast<size_t>(axis);
}

Selection join(const Node& node, size_t axis, const std::vector<QuantizedValue>& inputs,
               const QuantParams& output) {
  ConcatSpec spec;
  spec.place = node.place();
  spec.axis = axis;
  spec.type = code_type(output);
  Selection selection;
  for (const QuantizedValue& input : inputs) {
    selection.inputs.emplace_back(input.codes);
    spec.maps.emplace_back();
    if (!(input.params == output)) spec.maps.back() = code_table(input.params, output, {});
  }
  selection.kernel = make_concat(std::move(spec));
  return selection;
}

bool same_type(const std::vector<QuantizedValue>& inputs) {
  for (const QuantizedValue& input : inputs) {
    if (input.codes->type != inputs.front().codes->type) return false;
  }
  return !inputs.empty();
}

}  // namespace

std::optional<Selection> match_concat(const Scope&, const Node& tail) {
  if (!tail.domain().empty() || tail.op_type() != "Concat" || tail.inputs().empty()) return {};
  const auto axis = concat_axis(tail, tail.input(0));
  if (!axis || bits_per_element(tail.input(0)->type) < 8) return {};
  Selection selection;
  for (const Value* input : tail.inputs()) {
    if (input == nullptr || !input->shape) return {};
    selection.inputs.emplace_back(input);
  }
  ConcatSpec spec;
  spec.place = tail.place();
  spec.axis = *axis;
  selection.kernel = make_concat(std::move(spec));
  return selection;
}

std::optional<Selection> match_quantized_concat(const Scope& scope, const Node& tail) {
  const auto output = quantizer_params(scope, tail);
  if (!output || !scope.is_inner(tail.input(0))) return {};
  const Node* node = scope.producer(tail.input(0), "Concat");
  if (node == nullptr) return {};
  std::vector<QuantizedValue> inputs;
  for (const Value* value : node->inputs()) {
    const auto input = dequantized_from(scope, value);
    if (!input) return {};
    inputs.push_back(*input);
  }
  if (!same_type(inputs)) return {};
  const auto axis = concat_axis(*node, inputs.front().codes);
  if (!axis) return {};
  return join(*node, *axis, inputs, *output);
}

std::optional<Selection> match_code_concat(const Scope& scope, const Node& node) {
  if (node.domain() != "com.microsoft" || node.op_type() != "QLinearConcat") return {};
  const auto output = read_params(scope, node.output(0)->type, node.input(0), node.input(1));
  if (!output) return {};
  std::vector<QuantizedValue> inputs;
  for (size_t i = 2; i < node.inputs().size(); i += 3) {
    const Value* codes = node.input(i);
    if (codes == nullptr) return {};
    const auto params = read_params(scope, codes->type, node.input(i + 1), node.input(i + 2));
    if (!params) return {};
    inputs.push_back({codes, *params});
  }
  if (!same_type(inputs)) return {};
  const auto axis = concat_axis(node, inputs.front().codes);
  if (!axis) return {};
  return join(node, *axis, inputs, *output);
}

}  // namespace limbeck
