// Which value of a classifier holds its logits.
#pragma once

#include <string>
#include <vector>

#include "lib/model/model.h"

namespace limbeck {

/// The node that makes the first output, Identity and the like passed over (see below); null where
/// it is an input or a constant.
const Node* scores_node(const Model& model);

/// Name of the value that losses on logits read: what a final Softmax or LogSoftmax over the
/// classes reads, or the first output itself where it has none. Identity, Reshape, Flatten,
/// Squeeze, QuantizeLinear and DequantizeLinear nodes behind the Softmax are passed over: an opset
/// upgrade puts a Reshape there.
std::string logits_name(const Model& model);

/// Taps of an engine or tape that shall return the logits: `taps`, and the logits where they are no
/// output of the graph.
std::vector<std::string> with_logits(std::vector<std::string> taps, const Model& model);

}  // namespace limbeck
