// Walks over the parts of a model that stay protobuf: subgraphs, functions, tensors in attributes.
// Internal to lib/model.
#pragma once

#include <onnx/onnx_pb.h>

#include <functional>
#include <string>
#include <vector>

namespace limbeck {

/// What a subgraph reads from the graphs around it, each name once, in order of appearance. Raises
/// kInvalidModel, naming `place`, where the subgraph defines a tensor twice.
std::vector<std::string> free_names(const onnx::GraphProto& subgraph, const std::string& place);

/// Every subgraph that stands directly in an attribute of the node.
void for_each_subgraph(const onnx::NodeProto& node,
                       const std::function<void(const onnx::GraphProto&)>& visit);

using TensorVisit = std::function<void(onnx::TensorProto& tensor, const std::string& place)>;

/// Every external tensor in the attributes of a node, those of its subgraphs included.
void for_each_external(onnx::NodeProto* node, const TensorVisit& visit);
/// Every external tensor of a graph that stays protobuf: its initializers, dense and sparse, and
/// its nodes'.
void for_each_external(onnx::GraphProto* graph, const TensorVisit& visit);

}  // namespace limbeck
