// Which nodes of a tape run channels-last. Internal to lib/autodiff.
#pragma once

#include <unordered_set>

#include "lib/autodiff/fake_quantize.h"
#include "lib/model/model.h"

namespace limbeck {

/// Float Conv nodes with two spatial axes, and what follows them without caring for the order of
/// elements: BatchNormalization, elementwise functions of one input, sums and products of equal
/// shapes, fake quantization with one scale for all. infer_shapes must have run. Nodes that give a
/// value of `row_major` are left out, and BatchNormalization unless `batch_norm` says that it runs
/// on batch statistics.
std::unordered_set<const Node*> channels_last_nodes(
    const Model& model, const std::unordered_map<const Node*, FakeQuantize>& fake_quantize,
    const std::unordered_set<const Value*>& row_major, bool batch_norm);

/// The inputs of such a node that lie channels-last.
bool is_channels_last_input(const Node& node, size_t index);

}  // namespace limbeck
