// Multiply-accumulates of one node. Internal to lib/model.
#pragma once

#include <optional>

#include "lib/model/sizes.h"

namespace limbeck {

/// An operator that multiplies and accumulates, in float or integers, of the default or the
/// com.microsoft domain.
bool has_macs(const Node& node);

/// The nodes among them that quantization replaces by integer kernels: FP32, with constant weights
/// and bias, or quantized already.
bool has_integer_form(const Node& node);

/// Does a DequantizeLinear compute the value? Not for null.
bool is_dequantized(const Value* value);

/// For the whole batch; absent when a shape is unknown.
std::optional<int64_t> node_macs(const Node& node, const SampleSizes& sizes);

}  // namespace limbeck
