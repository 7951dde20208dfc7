// Runs a model with the plain kernels of the op table, one node after the other: slow, and nothing
// to get wrong.
#pragma once

#include <map>
#include <string>

#include "lib/model/model.h"

namespace limbeck::test {

using NamedTensors = std::map<std::string, Tensor>;

/// Every value that the run computed, inputs included. Fails the test when a kernel is missing.
NamedTensors reference_run(const Model& model, const NamedTensors& inputs);

/// Both models give the same graph outputs, name by name, to `tolerance` relative to the largest
/// output element.
void check_same_outputs(const Model& before, const Model& after, const NamedTensors& inputs,
                        float tolerance = 1e-5F);

}  // namespace limbeck::test
