#include "lib/model/proto_walk.h"

#include <unordered_set>

#include "lib/base/error.h"

namespace limbeck {
namespace {

using Names = std::unordered_set<std::string>;

std::string node_place(const onnx::NodeProto& node) {
  return "node '" + node.name() + "' (" + node.op_type() + ")";
}

/// Formal inputs, initializers and node outputs of one scope. An initializer may give an input its
/// default.
Names defined_names(const onnx::GraphProto& graph, const std::string& place) {
  Names names;
  for (const auto& initializer : graph.initializer()) names.insert(initializer.name());
  for (const auto& sparse : graph.sparse_initializer()) names.insert(sparse.values().name());
  for (const auto& input : graph.input()) names.insert(input.name());
  for (const auto& node : graph.node()) {
    for (const std::string& output : node.output()) {
      if (output.empty() || names.insert(output).second) continue;
      throw_error(Category::kInvalidModel, place + ", inner " + node_place(node),
                  "a tensor must be defined once", "'" + output + "' a second time",
                  "export the model again; the file is damaged or hostile");
    }
  }
  return names;
}

class FreeNames {
 public:
  explicit FreeNames(std::string place) : place_(std::move(place)) {}

  void visit(const onnx::GraphProto& graph) {
    scopes_.push_back(defined_names(graph, place_));
    for (const auto& node : graph.node()) {
      for (const std::string& input : node.input()) read(input);
      for_each_subgraph(node, [this](const onnx::GraphProto& inner) { visit(inner); });
    }
    for (const auto& output : graph.output()) read(output.name());
    scopes_.pop_back();
  }

  std::vector<std::string> take() { return std::move(found_); }

 private:
  void read(const std::string& name) {
    if (name.empty()) return;
    for (const Names& scope : scopes_) {
      if (scope.contains(name)) return;
    }
    if (seen_.insert(name).second) found_.push_back(name);
  }

  std::string place_;
  std::vector<Names> scopes_;
  Names seen_;
  std::vector<std::string> found_;
};

void visit_external(onnx::TensorProto* tensor, const std::string& place, const TensorVisit& visit) {
  if (tensor->data_location() == onnx::TensorProto::EXTERNAL) visit(*tensor, place);
}

void visit_sparse(onnx::SparseTensorProto* sparse, const std::string& place,
                  const TensorVisit& visit) {
  if (sparse->has_values()) visit_external(sparse->mutable_values(), place, visit);
  if (sparse->has_indices()) visit_external(sparse->mutable_indices(), place, visit);
}

}  // namespace

std::vector<std::string> free_names(const onnx::GraphProto& subgraph, const std::string& place) {
  FreeNames names(place);
  names.visit(subgraph);
  return names.take();
}

void for_each_subgraph(const onnx::NodeProto& node,
                       const std::function<void(const onnx::GraphProto&)>& visit) {
  for (const auto& attribute : node.attribute()) {
    if (attribute.has_g()) visit(attribute.g());
    for (const auto& graph : attribute.graphs()) visit(graph);
  }
}

void for_each_external(onnx::NodeProto* node, const TensorVisit& visit) {
  const std::string place = node_place(*node);
  for (auto& attribute : *node->mutable_attribute()) {
    if (attribute.has_t()) visit_external(attribute.mutable_t(), place, visit);
    for (auto& tensor : *attribute.mutable_tensors()) visit_external(&tensor, place, visit);
    if (attribute.has_sparse_tensor())
      visit_sparse(attribute.mutable_sparse_tensor(), place, visit);
    for (auto& sparse : *attribute.mutable_sparse_tensors()) visit_sparse(&sparse, place, visit);
    if (attribute.has_g()) for_each_external(attribute.mutable_g(), visit);
    for (auto& graph : *attribute.mutable_graphs()) for_each_external(&graph, visit);
  }
}

void for_each_external(onnx::GraphProto* graph, const TensorVisit& visit) {
  for (auto& tensor : *graph->mutable_initializer())
    visit_external(&tensor, "tensor '" + tensor.name() + "'", visit);
  for (auto& sparse : *graph->mutable_sparse_initializer())
    visit_sparse(&sparse, "tensor '" + sparse.values().name() + "'", visit);
  for (auto& node : *graph->mutable_node()) for_each_external(&node, visit);
}

}  // namespace limbeck
