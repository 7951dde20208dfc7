#include "lib/quantize/quantize.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>

#include "lib/base/error.h"
#include "lib/base/format.h"
#include "lib/model/upgrade.h"
#include "lib/ops/op.h"
#include "lib/quantize/emit.h"
#include "lib/quantize/passes/simplify.h"
#include "lib/quantize/pattern.h"

namespace limbeck {
namespace {

bool asks_for_int4(const PlanOptions& options) {
  return options.weights == DataType::kInt4 ||
         std::any_of(options.overrides.begin(), options.overrides.end(),
                     [](const PlanOverride& item) { return item.value == "int4"; });
}

template <typename Planned>
std::string type_names(const std::map<std::string, Planned>& planned) {
  std::set<std::string> names;
  for (const auto& [name, item] : planned) names.insert(data_type_name(item.type));
  return names.empty() ? "float" : joined_names({names.begin(), names.end()});
}

/// A weight that is no number would become a code like any other.
void require_finite_weights(const Model& model) {
  for (const auto& node : model.graph.nodes()) {
    if (role_of(model, *node) != QuantRole::kWeighted) continue;
    for (const Value* input : node->inputs()) {
      const Tensor* constant = input == nullptr ? nullptr : input->constant();
      if (constant == nullptr || constant->type() != DataType::kFloat) continue;
      const auto items = constant->as<float>();
      if (std::all_of(items.begin(), items.end(), [](float x) { return std::isfinite(x); }))
        continue;
      throw_error(Category::kInvalidModel, node->place(), "weights must be finite",
                  "NaN or Inf in '" + input->name() + "'", "train or export the model again");
    }
  }
}

/// float16, bfloat16 and double weights would stay as they are without a word.
void require_single(const Node& node, const std::string& place) {
  const Value* weights = node.input(1);
  if (weights == nullptr || weights->constant() == nullptr) return;
  const DataType type = weights->constant()->type();
  const bool other =
      type == DataType::kFloat16 || type == DataType::kBfloat16 || type == DataType::kDouble;
  if (!other) return;
  throw_error(Category::kUnsupported, place, "weights of type float (FP32) are needed",
              data_type_name(type) + " weights of " + node.place(), "export the model in FP32");
}

}  // namespace

Model prepare_model(const Model& model, const PlanOptions& options) {
  require_known_opset(model);
  require_outputs(model);
  Model prepared = copy_model(model);
  const bool wide = asks_for_int4(options) || bits_per_element(options.activations) != 8;
  infer_shapes(prepared);
  simplify(prepared);
  const int64_t wanted = wide ? 21 : 13;
  if (prepared.opset() < wanted) upgrade_opset(prepared, wanted);
  require_finite_weights(prepared);
  infer_shapes(prepared);
  return prepared;
}

void require_widths(const Plan& plan, const PlanOptions& options, const std::string& place) {
  const bool any =
      std::any_of(plan.activations.begin(), plan.activations.end(),
                  [](const auto& item) { return item.second.type == DataType::kUint4; });
  if (options.activations != DataType::kUint4 || any) return;
  throw_error(Category::kUsage, place,
              "for 4-bit activations some weighted layer other than the first and the last must "
              "read one",
              "none", "choose 8-bit activations");
}

void require_integers(const Plan& plan, const std::string& place) {
  std::set<std::string> reasons;
  for (const auto& [name, planned] : plan.nodes) {
    if (planned.integer) return;
    reasons.insert(planned.op_type + ": " + planned.reason);
  }
  throw_error(
      Category::kUnsupported, place, "something must compute in integers",
      reasons.empty() ? "no operator with weights" : joined_names({reasons.begin(), reasons.end()}),
      "see what can be quantized with limbeck inspect");
}

std::string format_suffix(const Plan& plan) {
  if (plan.format == EmitFormat::kQOperator) return "qoperator";
  if (plan.format == EmitFormat::kDynamic) return "dynamic";
  std::set<int> weights;
  std::set<int> activations;
  for (const auto& [name, planned] : plan.weights) weights.insert(weight_bits(planned));
  for (const auto& [name, planned] : plan.activations)
    activations.insert(bits_per_element(planned.type));
  if (weights.size() > 1 || activations.size() > 1) return "mixed";
  const int weight_bits = weights.empty() ? 8 : *weights.begin();
  const int activation_bits = activations.empty() ? 8 : *activations.begin();
  if (weight_bits == 8 && activation_bits == 8) return "int8";
  return "w" + std::to_string(weight_bits) + "a" + std::to_string(activation_bits);
}

std::string weight_types(const Plan& plan) { return type_names(plan.weights); }

std::string activation_types(const Plan& plan) {
  return plan.format == EmitFormat::kDynamic ? "uint8" : type_names(plan.activations);
}

void require_float(const Model& model, const std::string& place) {
  for (const auto& node : model.graph.nodes()) {
    const QuantRole role = role_of(model, *node);
    if (role == QuantRole::kQuantizer) {
      throw_error(Category::kUnsupported, place, "a float model is needed",
                  "a quantized model: " + node->place(),
                  "quantize the FP32 model that it was made from");
    }
    if (role == QuantRole::kWeighted) require_single(*node, place);
  }
}

PlanOptions options_of(const Plan& plan) {
  PlanOptions options;
  options.format = plan.format;
  options.correct_bias = plan.correct_bias;
  for (const auto& [name, planned] : plan.weights) {
    if (planned.type != DataType::kInt8 && options.weights != DataType::kInt4)
      options.weights = planned.type;
  }
  for (const auto& [name, planned] : plan.activations) {
    if (bits_per_element(planned.type) >= bits_per_element(options.activations))
      options.activations = planned.type;
  }
  const bool narrow =
      std::any_of(plan.activations.begin(), plan.activations.end(),
                  [](const auto& item) { return item.second.type == DataType::kUint4; });
  if (narrow && bits_per_element(options.activations) == 8) options.activations = DataType::kUint4;
  return options;
}

AppliedPlan emit_plan(const Model& model, const Plan& plan, const ChannelMeans& means) {
  if (plan.format == EmitFormat::kDynamic) return apply_dynamic(model, plan);
  AppliedPlan applied = apply_plan(model, plan, means);
  if (plan.format == EmitFormat::kQOperator) to_qoperator(&applied);
  return applied;
}

}  // namespace limbeck
