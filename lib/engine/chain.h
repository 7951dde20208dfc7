// The chain Conv (or Gemm, MatMul) -> per-channel scale and shift -> functions and residual
// additions.
#pragma once

#include <optional>
#include <vector>

#include "lib/engine/post_op.h"
#include "lib/engine/scope.h"

namespace limbeck {

/// y = scale * x + shift for every output channel.
struct ChannelAffine {
  std::vector<float> scale;
  std::vector<float> shift;
};

struct Chain {
  const Node* anchor = nullptr;  ///< Conv, ConvTranspose, Gemm or MatMul
  std::vector<ChannelAffine>
      affines;  ///< right after the anchor, in order: BatchNormalization, Add or Mul of constants
  PostOps post_ops;                   ///< after those, in order
  std::vector<const Value*> addends;  ///< one for every addition among post_ops
};

/// Walks backwards from `value`. All values in between can vanish. Nothing when there is no anchor
/// at its start.
std::optional<Chain> find_chain(const Scope& scope, const Value* value);

/// Number of output channels of an anchor with constant weights, or -1.
int64_t anchor_channels(const Scope& scope, const Node& anchor);

/// Both known, of equal rank, every dimension the same number or the same symbol.
bool same_shape(const Value* a, const Value* b);

}  // namespace limbeck
