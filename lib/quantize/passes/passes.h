// The simplification passes. Each works on one graph of the default domain's opset `opset`, returns
// how many rewrites it made, and leaves nodes that a rewrite orphaned to Graph::remove_dead. A
// weight with other readers is copied, not changed.
#pragma once

#include <cstddef>
#include <cstdint>

#include "lib/model/graph.h"

namespace limbeck {

/// Constant nodes become initializers of the same name.
size_t constants_to_initializers(Graph& graph, int64_t opset);
/// Drops nodes that hand their input through: Identity, Dropout at inference, Cast to the same
/// type, Concat of one, empty Pad.
size_t remove_identity(Graph& graph, int64_t opset);
/// Drops optional outputs that nothing reads (the mask of Dropout, the indices of MaxPool).
size_t drop_unused_outputs(Graph& graph, int64_t opset);
/// Evaluates nodes whose inputs are all constant, results of at most 64 MiB. Quantizers and random
/// generators stay.
size_t fold_constants(Graph& graph, int64_t opset);
/// Evaluates Shape, Size, and Gather or Slice of Shape where the dimensions asked for are known.
size_t fold_shapes(Graph& graph, int64_t opset);
/// BatchNormalization after Conv, ConvTranspose or Gemm moves into weights and bias.
size_t fold_batch_norm(Graph& graph, int64_t opset);
/// Mul, Div, Add and Sub by per-channel constants after Conv, ConvTranspose or Gemm move into
/// weights and bias.
size_t fold_affine(Graph& graph, int64_t opset);
/// Gemm of a transposed input becomes Transpose and Gemm, which has an integer form.
size_t split_transposed_gemm(Graph& graph, int64_t opset);
/// Pad with zeros moves into the pads of the Conv, AveragePool or (after a non-negative producer)
/// MaxPool that reads it.
size_t fold_pad(Graph& graph, int64_t opset);
/// Max(x, x * slope) with a slope in (0, 1] becomes LeakyRelu, the form in which tf2onnx hides it.
size_t fuse_leaky_relu(Graph& graph, int64_t opset);
/// x * HardSigmoid(x) and x * Clip(x + 3, 0, 6) / 6 become HardSwish, from opset 14 on.
size_t fuse_hard_swish(Graph& graph, int64_t opset);
/// Merges neighbouring Relu and Clip, and drops those that cannot change their input.
size_t merge_clips(Graph& graph, int64_t opset);

}  // namespace limbeck
