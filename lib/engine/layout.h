// How the bytes of a run-time activation are ordered, and the conversions between the two orders.
#pragma once

#include "lib/engine/buffer_pool.h"
#include "lib/model/tensor.h"

namespace limbeck {

/// Dimensions are always the logical ones of ONNX (N, C, spatial ...); only the order of the bytes
/// differs.
enum class Layout {
  kPlain,         ///< row-major
  kChannelsLast,  ///< N, spatial ..., C; what the convolutions of oneDNN run fastest on, in float
                  ///< and in int8
};

struct Activation {
  Tensor tensor;
  Layout layout = Layout::kPlain;
};

/// True when both orders are the same bytes: rank below 3, one channel, or one pixel.
bool layout_is_irrelevant(const Dims& dims);

/// The same values in the wanted order; no copy when the order does not matter. Rank 3 and up for
/// kChannelsLast.
Tensor in_layout(const Activation& activation, Layout wanted, BufferPool& pool);

}  // namespace limbeck
