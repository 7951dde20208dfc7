// y[c] = scale[c] * x[c] + shift[c] behind a weighted operator, moved into its weights and bias.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "lib/model/graph.h"

namespace limbeck {

/// One scale and one shift for every output channel, in double so that folding rounds once.
struct ChannelAffine {
  std::vector<double> scale;
  std::vector<double> shift;
};

/// Output of a Conv, ConvTranspose or Gemm with constant float weights and bias that nobody but one
/// node reads.
struct FoldTarget {
  Node* node = nullptr;
  int64_t channels = 0;
  size_t rank = 0;  ///< of the output; the channel axis is 1
};

/// Absent when `value` is nothing that an affine map can be folded into.
std::optional<FoldTarget> fold_target(const Value* value);

/// Rewrites weights and bias of the target. The vectors of `affine` hold one number a channel.
void fold_into(Graph& graph, const FoldTarget& target, const ChannelAffine& affine);

}  // namespace limbeck
