// GraphProto <-> Graph. Internal to lib/model.
#pragma once

#include <onnx/onnx_pb.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "lib/base/file.h"
#include "lib/model/graph.h"

namespace limbeck {

/// Builds a checked Graph from an untrusted GraphProto. `folder` is where external data may lie.
class GraphReader {
 public:
  explicit GraphReader(std::filesystem::path folder) : folder_(std::move(folder)) {}
  Graph read(onnx::GraphProto proto,
             const std::vector<std::pair<std::string, Tensor>>& constants = {});

 private:
  void read_inputs(const onnx::GraphProto& proto);
  void read_initializers(onnx::GraphProto* proto);
  void read_nodes(onnx::GraphProto* proto);
  void connect(Node* node);
  void read_value_info(const onnx::ValueInfoProto& info);
  void read_outputs(const onnx::GraphProto& proto);
  void mark_captures(const onnx::GraphProto& subgraph);
  void name_nodes();
  Value* declare(const std::string& name, const std::string& place);

  std::filesystem::path folder_;
  Graph graph_;
};

/// Writes a Graph back. Weights go inline, or to `external` (whose file name is `external_name`)
/// when it is not null.
class GraphWriter {
 public:
  GraphWriter(AtomicFile* external, std::string external_name)
      : external_(external), external_name_(std::move(external_name)) {}
  void write(const Graph& graph, onnx::GraphProto* proto);
  /// Structure only; the initializers are returned, sharing their bytes.
  void write_without_weights(const Graph& graph, onnx::GraphProto* proto,
                             std::vector<std::pair<std::string, Tensor>>* constants);

 private:
  void write_structure(const Graph& graph, onnx::GraphProto* proto);
  void write_weight(const std::string& name, const Tensor& tensor, onnx::TensorProto* proto);
  AtomicFile* external_;
  std::string external_name_;
  int64_t external_offset_ = 0;
};

}  // namespace limbeck
