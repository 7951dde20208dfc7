// GraphProto <-> Graph. Internal to lib/model.
#pragma once

#include <onnx/onnx_pb.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "lib/base/file.h"
#include "lib/model/external_data.h"
#include "lib/model/graph.h"
#include "lib/model/proto_walk.h"

namespace limbeck {

/// An initializer that is handed over beside the protobuf, sharing its bytes.
struct StoredConstant {
  std::string name;
  Tensor tensor;
  std::shared_ptr<const onnx::TensorProto> remarks;
};

/// What a node without a name is called: its operator and its first output.
std::string name_from_output(const Node& node);

/// Builds a checked Graph from an untrusted GraphProto. `folder` is where external data may lie.
/// One reader reads one graph.
class GraphReader {
 public:
  explicit GraphReader(const std::filesystem::path& folder) : external_(folder) {}
  Graph read(onnx::GraphProto proto, const std::vector<StoredConstant>& constants = {});
  /// Maps and checks the external tensors in the functions' nodes.
  void check_functions(onnx::ModelProto* model);

 private:
  void read_inputs(const onnx::GraphProto& proto);
  void read_initializers(onnx::GraphProto* proto);
  void read_initializer(onnx::TensorProto* initializer);
  void read_constants(const std::vector<StoredConstant>& constants);
  void read_nodes(onnx::GraphProto* proto);
  void connect(Node* node);
  void connect_subgraph(Node* node, const onnx::GraphProto& subgraph);
  void read_constant_node(Node* node);
  TensorVisit check_external();
  void read_value_info(const onnx::ValueInfoProto& info);
  void read_outputs(const onnx::GraphProto& proto);
  void name_nodes();
  Value* declare(const std::string& name, const std::string& place);

  ExternalData external_;
  Graph graph_;
};

/// Writes a Graph back. Weights go inline, or to `external` (whose file name is `external_name`)
/// when it is not null.
class GraphWriter {
 public:
  GraphWriter(AtomicFile* external, std::string external_name)
      : external_(external), external_name_(std::move(external_name)) {}
  void write(const Graph& graph, onnx::ModelProto* model);
  /// Structure only, external tensors still where they were; the initializers are returned.
  static std::vector<StoredConstant> write_without_weights(const Graph& graph,
                                                           onnx::GraphProto* proto);
  /// Where the external tensors that stayed protobuf lie.
  static const std::filesystem::path& folder(const Graph& graph) { return graph.folder_; }

 private:
  void write_weight(const Tensor& tensor, onnx::TensorProto* proto);
  void move_external(const Graph& graph, onnx::ModelProto* model);
  AtomicFile* external_;
  std::string external_name_;
  int64_t external_offset_ = 0;
};

/// Type and shape as a TypeProto declares them; undefined and absent for what is no dense tensor.
struct DeclaredType {
  DataType type = DataType::kUndefined;
  std::optional<Shape> shape;
};
/// Raises kInvalidModel for impossible dimensions.
DeclaredType declared_type(const onnx::TypeProto& type, const std::string& place);

}  // namespace limbeck
