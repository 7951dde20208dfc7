// The same network as if it had never been trained: what a student with inherited weights must
// beat.
#pragma once

#include <cstdint>

#include "lib/model/model.h"

namespace limbeck {

/// A copy in which every parameter (lib/autodiff/parameters.h) has a start value:
/// - weights of Conv, ConvTranspose, Gemm, MatMul: normal, variance 2 / fan-in (K. He et al.,
///   "Delving Deep into Rectifiers", ICCV 2015, equation 10), drawn by Philox from the seed, the
///   parameter's place in the graph and the element's;
/// - scales of normalizations, and factors: 1; biases and other summands: 0; running mean 0 and
///   variance 1; slopes of PRelu: 0.25; tables of Gather: normal, variance 1 / width.
/// Where no BatchNormalization is left because it was folded into the convolutions, one is put
/// behind each Conv with stored weights: without, deep networks do not train from random weights,
/// and a comparison would be unfair.
Model reinitialise(const Model& model, uint64_t seed);

}  // namespace limbeck
