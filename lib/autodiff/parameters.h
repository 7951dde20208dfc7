// Which constants of a model are parameters.
#pragma once

#include <string>
#include <vector>

#include "lib/model/model.h"

namespace limbeck {

/// Gives every reader that takes a stored constant through an Identity node a constant of its own,
/// under the name of the Identity's output, and every BatchNormalization scale, bias and running
/// statistics that nobody else reads. Exporters merge constants of equal values in this way (all
/// scales of a network that has not been trained), and training must be able to tell them apart.
/// Outputs of the model stay the same bits. Returns how many constants are new. Another constant
/// that two nodes read directly stays one, tied parameter.
size_t separate_parameters(Model& model);

/// Constants (initializers and Constant nodes) that train, in the order of the graph's values.
///
/// A float or double constant is a parameter when one of the globs (fnmatch) matches its name and
/// one of its readers takes it
/// - as weight or bias of Conv, ConvTranspose, Gemm, MatMul, as scale or bias of a normalization,
///   as slope of PRelu, or as the table of Gather;
/// - as an operand of more than one element of Add, Sub, Mul or Div, whose other operand depends on
///   the result of one of those operators (folded BatchNormalization, layer scale); the same
///   constant in front of all of them normalizes the input, and does not train;
/// - through operators that move, cast, clip or quantize it, into one of these.
/// Everything else (running statistics, limits of Clip, exponents, quantization steps, numbers in
/// formulas) trains only when a glob is its exact name. Constants that no output depends on through
/// differentiable operators are dropped by Tape::compile.
std::vector<const Value*> find_parameters(const Model& model,
                                          const std::vector<std::string>& globs);

}  // namespace limbeck
