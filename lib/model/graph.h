// The in-memory graph: nodes and values with use-lists kept in sync by one rewrite verb.
#pragma once

#include <onnx/onnx_pb.h>

#include <filesystem>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "lib/model/tensor.h"

namespace limbeck {

class Node;
class Graph;

/// One dimension of a shape: a number, a symbol ("batch"), or unknown (value -1, empty symbol).
struct Dim {
  int64_t value = -1;
  std::string symbol;
  bool known() const { return value >= 0; }
  bool operator==(const Dim&) const = default;
};
using Shape = std::vector<Dim>;

std::string shape_text(const Shape& shape);

/// Input slot `index` of `node` reads the value.
struct Use {
  Node* node = nullptr;
  size_t index = 0;
  bool operator==(const Use&) const = default;
};

/// An edge of the graph. Owned by its Graph; pointers stay valid until the graph drops the value.
class Value {
 public:
  const std::string& name() const { return name_; }
  Node* producer() const { return producer_; }
  const std::vector<Use>& uses() const { return uses_; }
  /// Element type; kUndefined when unknown.
  DataType type = DataType::kUndefined;
  /// Absent when even the rank is unknown.
  std::optional<Shape> shape;
  /// The constant that the value holds: an initializer, or the output of a Constant node. Null
  /// otherwise.
  const Tensor* constant() const { return constant_ ? &*constant_ : nullptr; }
  bool is_initializer() const { return constant_.has_value() && producer_ == nullptr; }
  bool is_graph_input() const { return graph_input_; }
  bool is_graph_output() const { return graph_output_; }
  /// Read by name from inside a subgraph of some node: must neither be renamed nor dropped.
  bool captured_by_subgraph() const { return captured_; }

 private:
  friend class Graph;
  friend class GraphReader;
  friend class GraphWriter;
  std::string name_;
  Node* producer_ = nullptr;
  std::vector<Use> uses_;
  std::optional<Tensor> constant_;
  /// What the file says about an initializer beside its type, dimensions and bytes; null when
  /// nothing.
  std::shared_ptr<const onnx::TensorProto> remarks_;
  std::list<std::unique_ptr<Value>>::iterator position_;
  bool graph_input_ = false;
  bool graph_output_ = false;
  bool captured_ = false;
};

/// An operator call. Inputs and outputs may be null where the model leaves an optional one out.
/// Attributes live in the NodeProto, so fields that libonnx does not know survive.
class Node {
 public:
  const std::string& op_type() const { return proto_.op_type(); }
  /// "" for the default ONNX domain ("ai.onnx" is normalised to "").
  const std::string& domain() const { return proto_.domain(); }
  /// The node's name; unique within a graph after loading (generated where the model has none).
  const std::string& name() const { return name_; }
  const std::vector<Value*>& inputs() const { return inputs_; }
  const std::vector<Value*>& outputs() const { return outputs_; }
  /// Null when absent or left out.
  Value* input(size_t index) const { return index < inputs_.size() ? inputs_[index] : nullptr; }
  Value* output(size_t index) const { return index < outputs_.size() ? outputs_[index] : nullptr; }
  /// "node 'conv1' (Conv)", for errors.
  std::string place() const;

  bool has_attribute(std::string_view name) const { return find_attribute(name) != nullptr; }
  int64_t int_attribute(std::string_view name, int64_t fallback) const;
  float float_attribute(std::string_view name, float fallback) const;
  std::string string_attribute(std::string_view name, const std::string& fallback) const;
  std::vector<int64_t> ints_attribute(std::string_view name, std::vector<int64_t> fallback) const;
  std::vector<float> floats_attribute(std::string_view name, std::vector<float> fallback) const;
  const onnx::AttributeProto* find_attribute(std::string_view name) const;

  void set_attribute(const std::string& name, int64_t value);
  void set_attribute(const std::string& name, float value);
  void set_attribute(const std::string& name, const std::string& value);
  void set_attribute(const std::string& name, const std::vector<int64_t>& value);
  void remove_attribute(std::string_view name);
  /// For operators that were renamed between opsets (Upsample, Scatter); inputs, outputs and
  /// attributes stay.
  void set_op_type(const std::string& op_type) { proto_.set_op_type(op_type); }

  const onnx::NodeProto& proto() const { return proto_; }

 private:
  friend class Graph;
  friend class GraphReader;
  onnx::AttributeProto& attribute_slot(const std::string& name,
                                       onnx::AttributeProto::AttributeType type);
  onnx::NodeProto proto_;
  std::string name_;
  std::vector<Value*> inputs_;
  std::vector<Value*> outputs_;
  std::vector<Value*> captures_;  ///< what the subgraphs in the attributes read from outside,
                                  ///< perhaps more than once
  std::list<std::unique_ptr<Node>>::iterator position_;
};

/// Owns nodes (in a valid topological order) and values. Not thread-safe while it is being changed;
/// const access is.
class Graph {
 public:
  Graph() = default;
  Graph(Graph&&) = default;
  Graph& operator=(Graph&&) = default;

  const std::list<std::unique_ptr<Node>>& nodes() const { return nodes_; }
  /// Graph inputs in order, without initializers that the model also lists as inputs.
  const std::vector<Value*>& inputs() const { return inputs_; }
  const std::vector<Value*>& outputs() const { return outputs_; }
  /// Every value, in order of creation.
  std::vector<Value*> values() const;
  /// Null when there is no such value.
  Value* find(const std::string& name) const;

  /// The one rewrite verb: every reader of `from` (node inputs and graph outputs) reads `to`
  /// afterwards. When `from` is a graph output, the names are swapped so that the graph's interface
  /// stays as it was. Raises kInternal for captured values, and where swapping would rename another
  /// input or output of the graph.
  void replace_all_uses(Value* from, Value* to);
  /// Redirects one input slot.
  void set_input(Node* node, size_t index, Value* value);

  /// A fresh value; a suffix is added when the name is taken.
  Value* add_value(const std::string& name);
  Value* add_initializer(const std::string& name, Tensor tensor);
  /// Replaces the bytes of an initializer or of a Constant node; type and shape follow the tensor.
  void set_constant(Value* value, Tensor tensor);
  /// Inserts a node before `before` (null: at the end) with fresh outputs named `output_names`.
  Node* add_node(const std::string& op_type, const std::string& domain, const std::string& name,
                 const std::vector<Value*>& inputs, const std::vector<std::string>& output_names,
                 const Node* before);
  /// Removes a node none of whose outputs is used; its unused constant inputs stay (see
  /// remove_dead).
  void remove_node(Node* node);
  /// Leaves an optional output of a node out. Raises kInternal when something reads it.
  void drop_output(Node* node, size_t index);
  /// Removes nodes and initializers that no graph output, and no subgraph, depends on. Returns how
  /// many went.
  size_t remove_dead();
  /// Renames a value everywhere; raises kInternal when the name is taken or the value is captured.
  void rename(Value* value, const std::string& name);
  /// Stable topological sort. Raises kInvalidModel naming a node on the cycle; nothing has moved
  /// then.
  void sort();

  /// The structure, one line a node, for tests that compare graphs: `y = Conv(x, w, b)`.
  std::string dump() const;
  /// The same with inputs, constants, types, shapes and attributes, for people:
  /// `y:float[1,8,4,4] = Conv(x, w, b) {group=1}`.
  std::string dump_details() const;

 private:
  friend class GraphReader;
  friend class GraphWriter;
  void drop_value(Value* value);
  static void hold_constant(Value* value, Tensor tensor);
  std::vector<Node*> sorted_nodes() const;
  std::string unique_name(const std::string& wanted) const;

  std::list<std::unique_ptr<Node>> nodes_;
  std::list<std::unique_ptr<Value>> values_;
  std::unordered_map<std::string, Value*> by_name_;
  std::vector<Value*> inputs_;
  std::vector<Value*> outputs_;
  /// What limbeck does not model (documentation, quantization annotations, sparse initializers,
  /// unknown fields).
  onnx::GraphProto rest_;
  /// Where the external data of tensors in rest_, and in attributes of nodes, lies.
  std::filesystem::path folder_;
};

}  // namespace limbeck
