#include "lib/quantize/quantize.h"

#include "lib/model/upgrade.h"
#include "lib/ops/op.h"
#include "lib/quantize/emit.h"
#include "lib/quantize/passes/simplify.h"

namespace limbeck {

Model prepare_model(const Model& model, const PlanOptions& options) {
  Model prepared = copy_model(model);
  const bool wide =
      options.weights == DataType::kInt4 || bits_per_element(options.activations) == 16;
  infer_shapes(prepared);
  simplify(prepared);
  const int64_t wanted = wide ? 21 : 13;
  if (prepared.opset() < wanted) upgrade_opset(prepared, wanted);
  infer_shapes(prepared);
  return prepared;
}

std::string format_suffix(const PlanOptions& options) {
  std::string suffix = "int8";
  if (options.weights == DataType::kInt4)
    suffix = "w4a" + std::to_string(bits_per_element(options.activations));
  if (options.weights == DataType::kInt8 && bits_per_element(options.activations) == 16)
    suffix = "w8a16";
  if (options.format == EmitFormat::kQOperator) suffix = "qoperator";
  if (options.format == EmitFormat::kDynamic) suffix = "dynamic";
  return suffix;
}

PlanOptions options_of(const Plan& plan) {
  PlanOptions options;
  options.format = plan.format;
  options.correct_bias = plan.correct_bias;
  for (const auto& [name, planned] : plan.weights) {
    if (planned.type == DataType::kInt4) options.weights = DataType::kInt4;
  }
  for (const auto& [name, planned] : plan.activations) {
    if (bits_per_element(planned.type) >= bits_per_element(options.activations))
      options.activations = planned.type;
  }
  return options;
}

AppliedPlan emit_plan(const Model& model, const Plan& plan, const ChannelMeans& means) {
  if (plan.format == EmitFormat::kDynamic) return apply_dynamic(model, plan);
  AppliedPlan applied = apply_plan(model, plan, means);
  if (plan.format == EmitFormat::kQOperator) to_qoperator(&applied);
  return applied;
}

}  // namespace limbeck
