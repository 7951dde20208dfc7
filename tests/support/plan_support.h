// What the tests of planning and of the emitters share.
#pragma once

#include <string>

#include "lib/quantize/plan.h"
#include "tests/support/model_builder.h"
#include "tests/support/reference_run.h"

namespace limbeck::test {

/// A table as calibration would make it from one sample, for every float value of the model.
CalibrationTable table_of(const Model& model, const NamedTensors& inputs);

/// Min-max ranges and weights: results that a reader can redo by hand.
PlanOptions plain_options();

/// Infers shapes, calibrates on the inputs and plans.
Plan plan_for(Model& model, const NamedTensors& inputs, const PlanOptions& options);

/// A plan that quantizes node n0, which reads `x` over [0, 255] (step one) and writes `y` over
/// [-255, 0].
Plan plan_of_one(const Node& node);

size_t count_ops(const Model& model, const std::string& op_type);
/// The only node of that type; fails the test when there is none or more than one.
const Node& only_node(const Model& model, const std::string& op_type);
/// The constant of that name; fails the test when there is none.
const Tensor& constant(const Model& model, const std::string& name);

}  // namespace limbeck::test
