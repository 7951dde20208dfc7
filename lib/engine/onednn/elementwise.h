// Float functions of one or two tensors, on either order of bytes.
#pragma once

#include <memory>
#include <string>

#include "lib/engine/post_op.h"
#include "lib/engine/step.h"

namespace limbeck::onednn {

/// Applies the functions one after another; keeps the layout of its input.
std::unique_ptr<StepKernel> make_unary(std::string place, std::vector<Unary> functions);

enum class BinaryKind { kAdd, kSubtract, kMultiply, kDivide, kMaximum, kMinimum };

/// numpy broadcasting, then the functions. Inputs of different order are brought to that of the
/// larger one.
std::unique_ptr<StepKernel> make_binary(std::string place, BinaryKind kind,
                                        std::vector<Unary> functions);

}  // namespace limbeck::onednn
