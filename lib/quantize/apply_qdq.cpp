#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <utility>

#include "lib/ops/op.h"
#include "lib/quantize/affine.h"
#include "lib/quantize/apply.h"
#include "lib/quantize/check_plan.h"
#include "lib/quantize/mean_shift.h"
#include "lib/quantize/pattern.h"

namespace limbeck {
namespace {

Tensor integer_scalar(DataType type, int32_t value) {
  switch (type) {
    case DataType::kInt8: return Tensor::scalar(static_cast<int8_t>(value));
    case DataType::kUint8: return Tensor::scalar(static_cast<uint8_t>(value));
    case DataType::kInt16: return Tensor::scalar(static_cast<int16_t>(value));
    default: return Tensor::scalar(static_cast<uint16_t>(value));
  }
}

class QdqWriter {
 public:
  QdqWriter(const Model& model, const Plan& plan, const ChannelMeans& means)
      : plan_(plan), means_(means) {
    result_.model = copy_model(model);
  }

  AppliedPlan run() {
    check_plan(graph(), plan_);
    std::vector<Node*> order;
    for (const auto& node : graph().nodes()) order.push_back(node.get());
    for (const auto& [name, planned] : plan_.activations) {
      params_[name] = params_for_range(planned.low, planned.high, planned.type, planned.symmetric);
    }
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

 private:
  Graph& graph() { return result_.model.graph; }

  bool is_integer(const Node* node) const {
    const auto planned = plan_.nodes.find(node->name());
    return planned != plan_.nodes.end() && planned->second.integer;
  }

  /// Scale and zero-point initializers, shared by every tensor of a group.
  std::pair<Value*, Value*> param_values(const std::string& tensor) {
    const PlannedActivation& planned = plan_.activations.at(tensor);
    const std::string key = planned.group.empty() ? tensor : planned.group;
    const auto known = shared_.find(key);
    if (known != shared_.end()) return known->second;
    const AffineParams& params = params_.at(tensor);
    Value* scale = graph().add_initializer(key + "_scale", Tensor::scalar(params.scale));
    Value* zero = graph().add_initializer(key + "_zero_point",
                                          integer_scalar(planned.type, params.zero_point));
    return shared_[key] = {scale, zero};
  }

  /// Inserts Q and DQ behind `value` and lets readers see the DQ result: all of them when an
  /// integer kernel wrote the value, else only the integer readers.
  void quantize_activation(Value* value, bool written_by_integer) {
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
      if (written_by_integer || is_integer(use.node))
        graph().set_input(use.node, use.index, result);
    }
    result_.layers.emplace_back(name, result->name());
  }

  void visit_outputs(Node* node) {
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

  bool is_absorbed_result(const Node* node) const {
    return is_absorbed(*node) && is_integer(node->input(0)->producer());
  }

  /// Relu and Clip vanish where saturation at the lowest (and highest) code does the same to every
  /// value.
  void remove_if_absorbed(Node* node) {
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
    graph().replace_all_uses(output, node->input(0));
    graph().remove_node(node);
  }

  /// Constants that element-wise integer operators read (Mul by a factor, Add of an offset).
  void quantize_constant_inputs(Node* node) {
    if (!is_integer(node) || plan_.weights.contains(node->name())) return;
    const QuantRole role = find_op(node->domain(), node->op_type(), result_.model.opset())->role;
    if (role != QuantRole::kElementwise && role != QuantRole::kSharedScale) return;
    for (size_t i = 0; i < node->inputs().size(); ++i) {
      Value* input = node->input(i);
      if (input == nullptr || input->constant() == nullptr || !is_float(input)) continue;
      if (node->op_type() == "Clip" || node->op_type() == "PRelu") continue;
      graph().set_input(node, i, quantized_constant(*input));
    }
  }

  Value* quantized_constant(const Value& value) {
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

  Value* dequantized(const std::string& name, const std::vector<Value*>& inputs, int64_t axis) {
    const Node* first = graph().nodes().front().get();
    // Nodes may share a constant: its copies have distinct names.
    Node* node = graph().add_node("DequantizeLinear", "", inputs[0]->name() + "_DequantizeLinear",
                                  inputs, {name + "_dequantized"}, first);
    if (axis >= 0) node->set_attribute("axis", axis);
    node->output(0)->type = DataType::kFloat;
    node->output(0)->shape = inputs[0]->shape;
    return node->output(0);
  }

  void quantize_weighted(Node* node) {
    const PlannedWeight& planned = plan_.weights.at(node->name());
    fold_gemm_factors(node);
    const Tensor weights = *node->input(1)->constant();
    const int32_t limit = planned.type == DataType::kInt4 ? 7 : 127;
    std::vector<float> scales =
        channel_scales(weights, planned.axis, limit, planned.algorithm == "mse");
    const std::string input_name = node->input(0)->name();
    const float input_scale = params_.at(input_name).scale;
    const Value* bias = node->input(2);
    if (bias != nullptr)
      fit_scales_to_bias(weights, planned.axis, input_scale, *bias->constant(), &scales);
    const std::vector<int8_t> codes = quantize_channels(weights, planned.axis, scales, limit);
    const std::string name = node->input(1)->name();
    Value* quantized = graph().add_initializer(name + "_quantized",
                                               pack_codes(planned.type, weights.dims(), codes));
    const auto channels = static_cast<int64_t>(scales.size());
    Value* scale =
        graph().add_initializer(name + "_scale", Tensor::from<float>({channels}, scales));
    const std::vector<int8_t> zeros(scales.size(), 0);
    Value* zero =
        graph().add_initializer(name + "_zero_point", pack_codes(planned.type, {channels}, zeros));
    graph().set_input(node, 1, dequantized(name, {quantized, scale, zero}, planned.axis));
    if (bias == nullptr) return;
    const auto means = means_.find(input_name);
    const bool corrects = plan_.correct_bias && means != means_.end();
    quantize_bias(node, input_scale, scales,
                  corrects ? mean_shift(*node, means->second, weights, codes, planned.axis, scales)
                           : std::vector<double>(scales.size(), 0.0));
  }

  /// Gemm's alpha and beta go into the weights and the bias, which the integer kernels expect.
  void fold_gemm_factors(Node* node) {
    if (node->op_type() != "Gemm") return;
    const auto scaled = [&](size_t index, const char* attribute) {
      const float factor = node->float_attribute(attribute, 1.0F);
      Value* input = node->input(index);
      node->remove_attribute(attribute);
      if (input == nullptr || factor == 1.0F) return;
      Tensor tensor = input->constant()->clone();
      for (float& item : tensor.mutable_as<float>()) item *= factor;
      graph().set_input(node, index,
                        graph().add_initializer(input->name() + "_folded", std::move(tensor)));
    };
    scaled(1, "alpha");
    scaled(2, "beta");
  }

  /// A bias is stored as int32 steps of input_scale * weight_scale: a channel of zero or tiny
  /// weights takes a step at which its bias is neither out of range nor coarse.
  static void fit_scales_to_bias(const Tensor& weights, int64_t axis, float input_scale,
                                 const Tensor& bias, std::vector<float>* scales) {
    constexpr float kLargestCode = 1073741824.0F;  // 2^30
    constexpr float kFineCode = 65536.0F;
    const auto largest =
        channel_scales(weights, axis, 1, false);  // largest magnitude; one for an all-zero channel
    const auto codes = quantize_channels(weights, axis, *scales, 127);
    const std::vector<float> values = bias.to_float();
    for (size_t i = 0; i < scales->size(); ++i) {
      float magnitude = 0;
      for (size_t k = values.size() == 1 ? 0 : i; k < values.size(); k += scales->size())
        magnitude = std::max(magnitude, std::fabs(values[k]));
      const float smallest = magnitude / (input_scale * kLargestCode);
      (*scales)[i] = std::max((*scales)[i], smallest);
      const bool dead = (*scales)[i] == 1.0F && largest[i] == 1.0F;
      if (dead && magnitude > 0) (*scales)[i] = magnitude / (input_scale * kFineCode);
    }
  }

  void quantize_bias(Node* node, float input_scale, const std::vector<float>& weight_scales,
                     const std::vector<double>& shift) {
    Value* bias = node->input(2);
    const std::vector<float> values = bias->constant()->to_float();
    // Groups of a ConvTranspose share the weight scales, so the bias may be longer.
    std::vector<int32_t> codes(std::max(values.size(), weight_scales.size()));
    std::vector<float> scales(codes.size());
    for (size_t i = 0; i < scales.size(); ++i) {
      scales[i] = input_scale * weight_scales[i % weight_scales.size()];
      const double wanted =
          static_cast<double>(values[values.size() == 1 ? 0 : i]) - shift[i % shift.size()];
      const double code = std::nearbyint(wanted / scales[i]);
      codes[i] = static_cast<int32_t>(std::clamp(code, -2147483647.0, 2147483647.0));
    }
    const auto channels = static_cast<int64_t>(codes.size());
    const std::string name = bias->name();
    Value* quantized =
        graph().add_initializer(name + "_quantized", Tensor::from<int32_t>({channels}, codes));
    Value* scale =
        graph().add_initializer(name + "_scale", Tensor::from<float>({channels}, scales));
    graph().set_input(node, 2, dequantized(name, {quantized, scale}, 0));
  }

  const Plan& plan_;
  const ChannelMeans& means_;
  AppliedPlan result_;
  std::map<std::string, AffineParams> params_;
  std::map<std::string, std::pair<Value*, Value*>> shared_;
};

}  // namespace

AppliedPlan apply_plan(const Model& model, const Plan& plan, const ChannelMeans& means) {
  return QdqWriter(model, plan, means).run();
}

}  // namespace limbeck
