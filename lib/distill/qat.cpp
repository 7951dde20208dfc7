#include "lib/distill/qat.h"

#include <algorithm>
#include <array>
#include <utility>

#include "lib/base/error.h"
#include "lib/base/format.h"
#include "lib/quantize/affine.h"
#include "lib/quantize/check_plan.h"
#include "lib/quantize/weight_steps.h"

namespace limbeck {
namespace {

constexpr std::array<std::string_view, 4> kFormats = {"int8", "w4a8", "w4a4", "w2a8"};

float input_scale(const Node& node, const Plan& plan) {
  const PlannedActivation& planned = plan.activations.at(node.input(0)->name());
  return params_for_range(planned.low, planned.high, planned.type, planned.symmetric).scale;
}

/// The mean error that rounding this node's weights causes, one item a channel.
std::vector<double> node_shift(const Node& node, const Plan& plan, const ChannelMeans& means) {
  const PlannedWeight& planned = plan.weights.at(node.name());
  std::vector<float> steps = weight_steps(node, planned);
  fit_steps_to_bias(node, planned, input_scale(node, plan), &steps);
  const auto known = means.find(node.input(0)->name());
  if (!plan.correct_bias || known == means.end()) return std::vector<double>(steps.size(), 0.0);
  return rounding_shift(node, planned, steps, known->second);
}

/// The bias becomes the node's own, one number a channel, less the shift.
void correct_bias(Graph& graph, Node* node, const std::vector<double>& shift) {
  const Value* bias = node->input(2);
  if (bias == nullptr) return;
  const Tensor& stored = *bias->constant();
  const std::vector<float> values = stored.to_float();
  std::vector<float> corrected(std::max(values.size(), shift.size()));
  for (size_t i = 0; i < corrected.size(); ++i) {
    const float value = values[values.size() == 1 ? 0 : i];
    corrected[i] = static_cast<float>(static_cast<double>(value) - shift[i % shift.size()]);
  }
  const bool same = corrected.size() == values.size();
  const Dims dims = same ? stored.dims() : Dims{static_cast<int64_t>(corrected.size())};
  graph.set_input(
      node, 2, graph.add_initializer(bias->name() + "_own", Tensor::from<float>(dims, corrected)));
}

const Tensor* constant_of(const Graph& graph, const std::string& name) {
  const Value* value = graph.find(name);
  return value == nullptr ? nullptr : value->constant();
}

/// The base model with the constants that training may have changed.
Model trained_base(const Model& base, const Graph& trained) {
  Model model = copy_model(base);
  for (Value* value : model.graph.values()) {
    const Tensor* old = value->constant();
    if (old == nullptr || old->type() != DataType::kFloat) continue;
    const Tensor* now = constant_of(trained, value->name());
    if (now != nullptr && now->type() == DataType::kFloat && now->dims() == old->dims())
      model.graph.set_constant(value, *now);
  }
  return model;
}

KnownSteps trained_steps(const std::vector<LearnedStep>& steps, const Graph& trained) {
  KnownSteps known;
  for (const LearnedStep& step : steps) {
    const Tensor* exponent = constant_of(trained, step.exponent);
    if (exponent == nullptr || exponent->type() != DataType::kFloat ||
        exponent->count() != static_cast<int64_t>(step.initial.size())) {
      throw_error(Category::kInternal, "step size '" + step.exponent + "'",
                  "the trained graph must hold every step size of the student", "none",
                  "report this bug");
    }
    const std::vector<float> values = step.values(*exponent);
    if (step.is_weight)
      known.weights[step.owner] = values;
    else
      known.activations[step.owner] = values.at(0);
  }
  return known;
}

/// The plan's ranges at these steps.
Plan trained_plan(const Plan& plan, const KnownSteps& steps) {
  Plan result = plan;
  result.correct_bias = false;  // the trained biases hold it
  for (auto& [name, planned] : result.activations) {
    const auto known = steps.activations.find(group_of(name, planned));
    if (known == steps.activations.end()) continue;
    const auto params =
        params_for_range(planned.low, planned.high, planned.type, planned.symmetric);
    const IntegerRange range = integer_range(planned.type);
    // A symmetric range leaves the most negative code out.
    const int32_t lowest = planned.symmetric ? 2 * params.zero_point - range.highest : range.lowest;
    planned.low = static_cast<float>(lowest - params.zero_point) * known->second;
    planned.high = static_cast<float>(range.highest - params.zero_point) * known->second;
    planned.observer = "learned";
  }
  return result;
}

}  // namespace

std::span<const std::string_view> qat_formats() { return kFormats; }

PlanOptions qat_plan_options(const std::string& format, const std::string& place) {
  if (std::find(kFormats.begin(), kFormats.end(), format) == kFormats.end()) {
    throw_error(Category::kUsage, place, "the format of a quantized student must exist",
                "'" + format + "'",
                "use one of " + joined_names({kFormats.begin(), kFormats.end()}));
  }
  PlanOptions options;
  if (format != "int8") options.weights = DataType::kInt4;
  if (format == "w4a4") options.activations = DataType::kUint4;
  if (format == "w2a8") options.weight_limit = 1;
  options.keep_ends = format == "w4a4" || format == "w2a8";
  return options;
}

std::vector<std::string> QatStudent::step_names() const {
  std::vector<std::string> names;
  for (const LearnedStep& step : graph.steps) names.push_back(step.exponent);
  return names;
}

QatStudent prepare_qat(const Model& model, const Plan& plan, const ChannelMeans& means) {
  if (plan.format != EmitFormat::kQdq) {
    throw_error(Category::kUsage, "plan", "a student trains in the form qdq", "another form",
                "set format to qdq in the plan");
  }
  check_plan(model, plan);
  QatStudent student;
  student.base = copy_model(model);
  student.plan = plan;
  Graph& graph = student.base.graph;
  std::vector<Node*> weighted;
  for (const auto& node : graph.nodes()) {
    if (plan.weights.contains(node->name())) weighted.push_back(node.get());
  }
  for (Node* node : weighted) {
    fold_gemm_factors(graph, node);
    correct_bias(graph, node, node_shift(*node, plan, means));
  }
  graph.remove_dead();
  student.graph = training_graph(student.base, plan);
  return student;
}

QuantizedStudent finish_qat(const QatStudent& student, const Model& trained) {
  const KnownSteps steps = trained_steps(student.graph.steps, trained.graph);
  const Model base = trained_base(student.base, trained.graph);
  return {apply_plan(base, student.plan, {}, steps), trained_plan(student.plan, steps)};
}

}  // namespace limbeck
