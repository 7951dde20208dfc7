// The main job as a chain of values: prepare -> calibrate -> make_plan -> emit_plan.
#pragma once

#include <string>

#include "lib/model/model.h"
#include "lib/quantize/apply.h"
#include "lib/quantize/plan.h"

namespace limbeck {

/// The float model as it will be quantized: simplified (BatchNorm folded ...), at an opset that the
/// formats need (13; 21 for 4-bit weights, 4-bit or 16-bit activations), shapes inferred. Its
/// outputs equal the original's.
Model prepare_model(const Model& model, const PlanOptions& options);

/// "int8", "w4a8", "w8a16", "qoperator", "dynamic", or "mixed" where layers differ in width: the
/// part of the emitted file's name that tells the format. By what the plan says, whoever wrote it.
std::string format_suffix(const Plan& plan);

/// Emitted form and types of a saved plan, of several those that ask for the newer opset: what
/// prepare_model goes by when a plan is fed back.
PlanOptions options_of(const Plan& plan);

/// The types that a plan stores weights and activations in, as "int8" or "int4, int8"; "float" for
/// none.
std::string weight_types(const Plan& plan);
std::string activation_types(const Plan& plan);

/// Raises kUsage where 4-bit activations were asked for and no tensor of the plan has them.
void require_widths(const Plan& plan, const PlanOptions& options, const std::string& place);

/// Raises kUnsupported for a plan that leaves every node in float, with the reasons.
void require_integers(const Plan& plan, const std::string& place);

/// Raises kUnsupported for a model that holds quantized operators already (its rounding cannot be
/// taken back, and would be counted as the reference) or weights of another float type than FP32.
void require_float(const Model& model, const std::string& place);

/// Writes a plan in the form that it asks for (apply.h, emit.h). `means` as for apply_plan.
AppliedPlan emit_plan(const Model& model, const Plan& plan, const ChannelMeans& means = {});

}  // namespace limbeck
