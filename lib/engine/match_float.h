// Matchers for float operators that have a fast kernel.
#pragma once

#include "lib/engine/chain.h"
#include "lib/engine/scope.h"

namespace limbeck {

/// Conv, ConvTranspose, Gemm, MatMul with constant weights and all that follows them.
std::optional<Selection> match_weighted(const Scope& scope, const Node& tail);
/// MatMul of two computed tensors.
std::optional<Selection> match_dynamic_matmul(const Scope& scope, const Node& tail);
/// MaxPool, AveragePool, GlobalAveragePool, GlobalMaxPool, ReduceMean over the image.
std::optional<Selection> match_pooling(const Scope& scope, const Node& tail);
/// MaxPool on any element type that the pooling step takes; inputs are left to the caller.
std::optional<Selection> match_max_pooling(const Node& node);
/// True for ReduceMean over all spatial dimensions and no other.
bool reduces_image(const Scope& scope, const Node& node);
/// Add, Sub, Mul, Div, Max, Min of two tensors, then functions of one.
std::optional<Selection> match_binary(const Scope& scope, const Node& tail);
/// Concat, of any element type.
std::optional<Selection> match_concat(const Scope& scope, const Node& tail);
/// Functions of one tensor.
std::optional<Selection> match_function(const Scope& scope, const Node& tail);

/// The chain's weights (float) with its per-channel scales multiplied in, and the bias with the
/// shifts added.
struct FoldedWeights {
  Tensor weights;
  Tensor bias;  ///< empty when there is none
};
std::optional<FoldedWeights> fold_affines(const Scope& scope, const Chain& chain);

}  // namespace limbeck
