#include "lib/quantize/qdq_writer.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "lib/ops/op.h"
#include "lib/quantize/check_plan.h"
#include "lib/quantize/pattern.h"
#include "lib/quantize/weight_steps.h"

namespace limbeck {
namespace {

Tensor integer_scalar(DataType type, int32_t value) {
  switch (type) {
    case DataType::kUint4: {
      const int8_t code[] = {static_cast<int8_t>(value)};
      return pack_codes(type, {}, code);
    }
    case DataType::kInt8: return Tensor::scalar(static_cast<int8_t>(value));
    case DataType::kUint8: return Tensor::scalar(static_cast<uint8_t>(value));
    case DataType::kInt16: return Tensor::scalar(static_cast<int16_t>(value));
    default: return Tensor::scalar(static_cast<uint16_t>(value));
  }
}

/// Symmetric codes as they are stored; of unsigned weights 128 higher.
Tensor stored_codes(DataType type, Dims dims, std::vector<int8_t> codes) {
  if (type == DataType::kUint8) {
    for (int8_t& code : codes) code = static_cast<int8_t>(static_cast<uint8_t>(code) ^ 0x80U);
  }
  return pack_codes(type, std::move(dims), codes);
}

}  // namespace

QdqWriter::QdqWriter(const Model& model, const Plan& plan, const ChannelMeans& means,
                     const KnownSteps& steps)
    : plan_(plan), means_(means), steps_(steps) {
  result_.model = copy_model(model);
}

AppliedPlan QdqWriter::run() {
  check_plan(result_.model, plan_);
  std::vector<Node*> order;
  for (const auto& node : graph().nodes()) order.push_back(node.get());
  read_params();
  for (Node* node : order) {
    if (plan_.weights.contains(node->name())) quantize_weighted(node);
  }
  for (Node* node : order) quantize_constant_inputs(node);
  for (Value* input : graph().inputs()) quantize_activation(input, false);
  for (Node* node : order) visit_outputs(node);
  graph().remove_dead();
  graph().sort();
  return std::move(result_);
}

bool QdqWriter::is_integer(const Node* node) const {
  const auto planned = plan_.nodes.find(node->name());
  return planned != plan_.nodes.end() && planned->second.integer;
}

void QdqWriter::read_params() {
  for (const auto& [name, planned] : plan_.activations) {
    AffineParams& params = params_[name];
    params = params_for_range(planned.low, planned.high, planned.type, planned.symmetric);
    const auto known = steps_.activations.find(group_of(name, planned));
    if (known != steps_.activations.end()) params.scale = known->second;
  }
}

/// Scale and zero point, shared by every tensor of a group.
std::pair<Value*, Value*> QdqWriter::param_values(const std::string& tensor) {
  const PlannedActivation& planned = plan_.activations.at(tensor);
  const std::string key = group_of(tensor, planned);
  const auto known = shared_.find(key);
  if (known != shared_.end()) return known->second;
  return shared_[key] = store_params(key, planned, params_.at(tensor));
}

std::pair<Value*, Value*> QdqWriter::store_params(const std::string& group,
                                                  const PlannedActivation& planned,
                                                  const AffineParams& params) {
  Value* scale = graph().add_initializer(group + "_scale", Tensor::scalar(params.scale));
  Value* zero = graph().add_initializer(group + "_zero_point",
                                        integer_scalar(planned.type, params.zero_point));
  return {scale, zero};
}

/// Inserts Q and DQ behind `value` and lets readers see the DQ result: all of them when an
/// integer kernel wrote the value, else only the integer readers.
void QdqWriter::quantize_activation(Value* value, bool written_by_integer) {
  if (!plan_.activations.contains(value->name())) return;
  const std::string name = value->name();
  const std::vector<Use> uses = value->uses();
  const auto [scale, zero] = param_values(name);
  const Node* before = nullptr;
  Node* quantize = graph().add_node("QuantizeLinear", "", name + "_QuantizeLinear",
                                    {value, scale, zero}, {name + "_quantized"}, before);
  Node* dequantize =
      graph().add_node("DequantizeLinear", "", name + "_DequantizeLinear",
                       {quantize->output(0), scale, zero}, {name + "_dequantized"}, before);
  Value* result = dequantize->output(0);
  result->type = DataType::kFloat;
  result->shape = value->shape;
  quantize->output(0)->type = plan_.activations.at(name).type;
  quantize->output(0)->shape = value->shape;
  if (written_by_integer && value->is_graph_output()) {
    graph().replace_all_uses(value, result);  // swaps names: the interface keeps its own
    graph().set_input(quantize, 0, value);
    result_.layers.emplace_back(name, name);
    return;
  }
  for (const Use& use : uses) {
    if (written_by_integer || is_integer(use.node)) graph().set_input(use.node, use.index, result);
  }
  result_.layers.emplace_back(name, result->name());
}

void QdqWriter::visit_outputs(Node* node) {
  const bool integer = is_integer(node);
  for (Value* output : std::vector<Value*>(node->outputs())) {
    if (output == nullptr) continue;
    Value* target = integer ? quantized_output(*output) : output;
    const bool written_by_integer = integer || is_absorbed_result(node);
    if (target != output)
      continue;  // handled when its own producer, the absorbed activation, is visited
    quantize_activation(target, written_by_integer);
  }
  remove_if_absorbed(node);
}

bool QdqWriter::is_absorbed_result(const Node* node) const {
  return is_absorbed(*node) && is_integer(node->input(0)->producer());
}

/// Relu and Clip vanish where saturation at the lowest (and highest) code does the same to every
/// value.
void QdqWriter::remove_if_absorbed(Node* node) {
  Value* output = node->output(0);
  if (output == nullptr || node->outputs().size() != 1 || output->uses().size() != 1) return;
  if (!is_absorbed_result(node) || output->is_graph_output()) return;
  const Node* reader = output->uses()[0].node;
  if (reader->op_type() != "QuantizeLinear" || !params_.contains(output->name())) return;
  const PlannedActivation& planned = plan_.activations.at(output->name());
  const AffineParams params = params_.at(output->name());
  const IntegerRange range = integer_range(planned.type);
  const float highest =
      (static_cast<float>(range.highest - params.zero_point) - 0.5F) * params.scale;
  if (params.zero_point != range.lowest || highest > upper_bound(*node)) return;
  if (!may_absorb(*node)) return;
  graph().replace_all_uses(output, node->input(0));
  graph().remove_node(node);
}

/// Constants that element-wise integer operators read (Mul by a factor, Add of an offset).
void QdqWriter::quantize_constant_inputs(Node* node) {
  if (!is_integer(node) || plan_.weights.contains(node->name())) return;
  const QuantRole role = role_of(result_.model, *node);
  if (role != QuantRole::kElementwise && role != QuantRole::kSharedScale) return;
  for (size_t i = 0; i < node->inputs().size(); ++i) {
    Value* input = node->input(i);
    if (input == nullptr || input->constant() == nullptr || !is_float(input)) continue;
    if (node->op_type() == "Clip" || node->op_type() == "PRelu") continue;
    graph().set_input(node, i, quantized_constant(*input));
  }
}

Value* QdqWriter::quantized_constant(const Value& value) {
  const auto values = value.constant()->as<float>();
  float low = 0;
  float high = 0;
  for (const float item : values) {
    low = std::min(low, item);
    high = std::max(high, item);
  }
  const AffineParams params = params_for_range(low, high, DataType::kUint8, false);
  Tensor codes = Tensor::allocate(DataType::kUint8, value.constant()->dims());
  auto target = codes.mutable_as<uint8_t>();
  for (size_t i = 0; i < target.size(); ++i) {
    target[i] = static_cast<uint8_t>(quantize_value(values[i], params, {0, 255}));
  }
  const std::string& name = value.name();
  Value* quantized = graph().add_initializer(name + "_quantized", std::move(codes));
  Value* scale = graph().add_initializer(name + "_scale", Tensor::scalar(params.scale));
  Value* zero = graph().add_initializer(name + "_zero_point",
                                        Tensor::scalar(static_cast<uint8_t>(params.zero_point)));
  return dequantized(name, {quantized, scale, zero}, -1);
}

Value* QdqWriter::dequantized(const std::string& name, const std::vector<Value*>& inputs,
                              int64_t axis) {
  const Node* first = graph().nodes().front().get();
  // Nodes may share a constant: its copies have distinct names.
  Node* node = graph().add_node("DequantizeLinear", "", inputs[0]->name() + "_DequantizeLinear",
                                inputs, {name + "_dequantized"}, first);
  if (axis >= 0) node->set_attribute("axis", axis);
  node->output(0)->type = DataType::kFloat;
  node->output(0)->shape = inputs[0]->shape;
  return node->output(0);
}

Value* QdqWriter::zero_points(const std::string& name, DataType type, size_t channels) {
  const std::vector<int8_t> zeros(channels, 0);
  return graph().add_initializer(name + "_zero_point",
                                 stored_codes(type, {static_cast<int64_t>(channels)}, zeros));
}

void QdqWriter::quantize_weighted(Node* node) {
  fold_gemm_factors(graph(), node);
  Weighted weighted;
  weighted.node = node;
  weighted.planned = &plan_.weights.at(node->name());
  weighted.input_scale = params_.at(node->input(0)->name()).scale;
  const auto known = steps_.weights.find(node->name());
  weighted.scales =
      known != steps_.weights.end() ? known->second : weight_steps(*node, *weighted.planned);
  fit_steps_to_bias(*node, *weighted.planned, weighted.input_scale, &weighted.scales);
  weighted.bias_shift = bias_shift(weighted);
  graph().set_input(node, 1, store_weights(weighted));
  if (node->input(2) != nullptr) store_bias(weighted);
}

Value* QdqWriter::store_weights(const Weighted& weighted) {
  const PlannedWeight& planned = *weighted.planned;
  const Value& weights = *weighted.node->input(1);
  const std::vector<int8_t> codes =
      quantize_channels(*weights.constant(), planned.axis, weighted.scales, code_limit(planned));
  const std::string& name = weights.name();
  Value* quantized = graph().add_initializer(
      name + "_quantized", stored_codes(planned.type, weights.constant()->dims(), codes));
  const auto channels = static_cast<int64_t>(weighted.scales.size());
  Value* scale =
      graph().add_initializer(name + "_scale", Tensor::from<float>({channels}, weighted.scales));
  Value* zero = zero_points(name, planned.type, weighted.scales.size());
  return dequantized(name, {quantized, scale, zero}, planned.axis);
}

std::vector<double> QdqWriter::bias_shift(const Weighted& weighted) const {
  const auto means = means_.find(weighted.node->input(0)->name());
  if (weighted.node->input(2) == nullptr || !plan_.correct_bias || means == means_.end())
    return std::vector<double>(weighted.scales.size(), 0.0);
  return rounding_shift(*weighted.node, *weighted.planned, weighted.scales, means->second);
}

void QdqWriter::store_bias(const Weighted& weighted) {
  const std::vector<float>& steps = weighted.scales;
  const std::vector<double>& shift = weighted.bias_shift;
  Value* bias = weighted.node->input(2);
  const std::vector<float> values = bias->constant()->to_float();
  // Groups of a ConvTranspose share the weight scales, so the bias may be longer.
  std::vector<int32_t> codes(std::max(values.size(), steps.size()));
  std::vector<float> scales(codes.size());
  for (size_t i = 0; i < scales.size(); ++i) {
    scales[i] = weighted.input_scale * steps[i % steps.size()];
    const double wanted =
        static_cast<double>(values[values.size() == 1 ? 0 : i]) - shift[i % shift.size()];
    const double code = std::nearbyint(wanted / scales[i]);
    codes[i] = static_cast<int32_t>(std::clamp(code, -2147483647.0, 2147483647.0));
  }
  const auto channels = static_cast<int64_t>(codes.size());
  const std::string name = bias->name();
  Value* quantized =
      graph().add_initializer(name + "_quantized", Tensor::from<int32_t>({channels}, codes));
  Value* scale = graph().add_initializer(name + "_scale", Tensor::from<float>({channels}, scales));
  graph().set_input(weighted.node, 2, dequantized(name, {quantized, scale}, 0));
}

AppliedPlan apply_plan(const Model& model, const Plan& plan, const ChannelMeans& means,
                       const KnownSteps& steps) {
  return QdqWriter(model, plan, means, steps).run();
}

}  // namespace limbeck
