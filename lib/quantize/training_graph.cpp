#include "lib/quantize/training_graph.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "lib/quantize/pattern.h"
#include "lib/quantize/qdq_writer.h"

namespace limbeck {
namespace {

const ChannelMeans kNoMeans;
const KnownSteps kNoSteps;

/// Elements of one sample; one where a dimension is not known.
int64_t sample_elements(const Value& value) {
  int64_t count = 1;
  if (!value.shape) return count;
  for (size_t i = 1; i < value.shape->size(); ++i)
    count *= std::max<int64_t>(1, (*value.shape)[i].value);
  return count;
}

class TrainingWriter final : public QdqWriter {
 public:
  TrainingWriter(const Model& model, const Plan& plan)
      : QdqWriter(model, plan, kNoMeans, kNoSteps) {
    for (const auto& [name, planned] : plan.activations)
      elements_[group_of(name, planned)] += sample_elements(*graph().find(name));
  }

  TrainingGraph write() {
    Model model = run().model;
    return {std::move(model), std::move(steps_)};
  }

 private:
  std::pair<Value*, Value*> store_params(const std::string& group, const PlannedActivation& planned,
                                         const AffineParams& params) override {
    const auto [scale, zero] = QdqWriter::store_params(group, planned, params);
    const IntegerRange range = integer_range(planned.type);
    const int32_t largest =
        std::max(range.highest - params.zero_point, params.zero_point - range.lowest);
    LearnedStep step = learned(group, scale, elements_.at(group), largest);
    return {add_step(std::move(step), scale), zero};
  }

  Value* store_weights(const Weighted& weighted) override {
    const PlannedWeight& planned = *weighted.planned;
    Value* weights = weighted.node->input(1);
    const std::string& name = weights->name();
    const auto channels = static_cast<int64_t>(weighted.scales.size());
    Value* initial =
        graph().add_initializer(name + "_scale", Tensor::from<float>({channels}, weighted.scales));
    LearnedStep step = learned(weighted.node->name(), initial,
                               weights->constant()->count() / channels, code_limit(planned));
    step.is_weight = true;
    Value* scale = add_step(std::move(step), initial);
    Value* zero = zero_points(name, DataType::kInt8, weighted.scales.size());
    weight_scale_ = scale;
    const Node* before = weighted.node;
    Value* codes = quantized({weights, scale, zero}, planned.axis, before);
    codes = clipped(codes, name, code_limit(planned), before);
    return dequantized({codes, scale, zero}, *weights, planned.axis, before);
  }

  void store_bias(const Weighted& weighted) override {
    Value* bias = weighted.node->input(2);
    const Tensor& stored = *bias->constant();
    const auto channels = static_cast<int64_t>(weighted.scales.size());
    if (stored.count() % channels != 0) return;
    const Node* before = weighted.node;
    Value* scale = bias_scale(weighted, stored.count() / channels);
    Value* zero = graph().add_initializer(bias->name() + "_zero_point",
                                          Tensor::zeros(DataType::kInt32, {stored.count()}));
    const auto axis = static_cast<int64_t>(stored.rank()) - 1;
    Value* codes = quantized({bias, scale, zero}, axis, before);
    graph().set_input(weighted.node, 2, dequantized({codes, scale, zero}, *bias, axis, before));
  }

  /// The accumulator's. Groups of a ConvTranspose share the weights' steps.
  Value* bias_scale(const Weighted& weighted, int64_t groups) {
    const std::string name = weighted.node->input(2)->name();
    Value* input_scale = param_values(weighted.node->input(0)->name()).first;
    const Node* product = graph().add_node("Mul", "", name + "_Mul", {weight_scale_, input_scale},
                                           {name + "_scale"}, weighted.node);
    if (groups == 1) return product->output(0);
    const std::vector<Value*> copies(static_cast<size_t>(groups), product->output(0));
    Node* join =
        graph().add_node("Concat", "", name + "_Concat", copies, {name + "_scales"}, weighted.node);
    join->set_attribute("axis", int64_t{0});
    return join->output(0);
  }

  bool may_absorb(const Node& clamp) const override {
    return upper_bound(clamp) == std::numeric_limits<float>::infinity();
  }

  /// QuantizeLinear of a constant, scale and zero point.
  Value* quantized(const std::vector<Value*>& inputs, int64_t axis, const Node* before) {
    const std::string& name = inputs[0]->name();
    Node* node = graph().add_node("QuantizeLinear", "", name + "_QuantizeLinear", inputs,
                                  {name + "_quantized"}, before);
    node->set_attribute("axis", axis);
    return node->output(0);
  }

  Value* dequantized(const std::vector<Value*>& inputs, const Value& like, int64_t axis,
                     const Node* before) {
    const std::string& name = like.name();
    Node* node = graph().add_node("DequantizeLinear", "", name + "_DequantizeLinear", inputs,
                                  {name + "_dequantized"}, before);
    node->set_attribute("axis", axis);
    node->output(0)->type = DataType::kFloat;
    node->output(0)->shape = like.shape;
    return node->output(0);
  }

  Value* clipped(Value* codes, const std::string& name, int32_t limit, const Node* before) {
    const auto bound = [&](int32_t code) {
      return graph().add_initializer(name + (code < 0 ? "_lowest" : "_highest"),
                                     Tensor::scalar(static_cast<int8_t>(code)));
    };
    Value* lowest = bound(-limit);
    Value* highest = bound(limit);
    Node* clip = graph().add_node("Clip", "", name + "_Clip", {codes, lowest, highest},
                                  {name + "_clipped"}, before);
    return clip->output(0);
  }

  static LearnedStep learned(const std::string& owner, const Value* initial, int64_t count,
                             int32_t largest_code) {
    LearnedStep step;
    step.owner = owner;
    step.initial = initial->constant()->to_float();
    const double scale =
        static_cast<double>(std::max<int64_t>(1, count)) * std::max(1, largest_code);
    for (const float value : step.initial)
      step.rate.push_back(static_cast<float>(std::pow(scale, -0.25) / static_cast<double>(value)));
    return step;
  }

  /// Writes the nodes of the step's formula; `initial` holds its constant.
  Value* add_step(LearnedStep step, Value* initial) {
    const Node* first = graph().nodes().front().get();
    const Dims dims = initial->constant()->dims();
    const std::string& name = initial->name();
    Value* exponent =
        graph().add_initializer(name + "_exponent", Tensor::zeros(DataType::kFloat, dims));
    Value* rate = graph().add_initializer(name + "_rate", Tensor::from<float>(dims, step.rate));
    Value* low = graph().add_initializer(name + "_exponent_low", Tensor::scalar(-step.kWidest));
    Value* high = graph().add_initializer(name + "_exponent_high", Tensor::scalar(step.kWidest));
    const auto add = [&](const char* op, const std::string& suffix,
                         const std::vector<Value*>& inputs) {
      return graph().add_node(op, "", name + suffix, inputs, {name + suffix}, first)->output(0);
    };
    Value* moved = add("Mul", "_moved", {exponent, rate});
    Value* bounded = add("Clip", "_bounded", {moved, low, high});
    Value* factor = add("Exp", "_factor", {bounded});
    Value* value = add("Mul", "_step", {initial, factor});
    step.exponent = exponent->name();
    step.step = value->name();
    steps_.push_back(std::move(step));
    return value;
  }

  std::map<std::string, int64_t> elements_;  ///< of one sample, by group
  std::vector<LearnedStep> steps_;
  Value* weight_scale_ = nullptr;  ///< of the node that is being written
};

}  // namespace

std::vector<float> LearnedStep::values(const Tensor& exponents) const {
  std::vector<float> result;
  const auto items = exponents.as<float>();
  for (size_t i = 0; i < items.size(); ++i) {
    const float moved = std::clamp(items[i] * rate[i], -kWidest, kWidest);
    result.push_back(initial[i] * std::exp(moved));
  }
  return result;
}

TrainingGraph training_graph(const Model& model, const Plan& plan) {
  return TrainingWriter(model, plan).write();
}

}  // namespace limbeck
