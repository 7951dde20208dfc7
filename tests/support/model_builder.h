// Builds small models for tests the way an exporter would: as protobuf, read back through
// parse_model.
#pragma once

#include <string>
#include <vector>

#include "lib/model/model.h"

namespace limbeck::test {

/// A node under construction; attributes chain.
class NodeBuilder {
 public:
  explicit NodeBuilder(onnx::NodeProto* proto) : proto_(proto) {}
  NodeBuilder& with(const std::string& name, int64_t value);
  NodeBuilder& with(const std::string& name, int value) {
    return with(name, static_cast<int64_t>(value));
  }
  NodeBuilder& with(const std::string& name, float value);
  NodeBuilder& with(const std::string& name, const std::string& value);
  NodeBuilder& with(const std::string& name, const std::vector<int64_t>& value);
  NodeBuilder& with(const std::string& name, const std::vector<float>& value);
  NodeBuilder& with(const std::string& name, const Tensor& value);
  NodeBuilder& with(const std::string& name, const onnx::GraphProto& value);
  NodeBuilder& in_domain(const std::string& domain);

 private:
  onnx::AttributeProto* add(const std::string& name, onnx::AttributeProto::AttributeType type);
  onnx::NodeProto* proto_;
};

/// Nodes are named n0, n1 ... in order of creation.
class ModelBuilder {
 public:
  explicit ModelBuilder(int64_t opset);
  /// Dimensions below zero become the symbol "N".
  ModelBuilder& input(const std::string& name, const Dims& dims, DataType type = DataType::kFloat);
  ModelBuilder& output(const std::string& name, DataType type = DataType::kFloat);
  ModelBuilder& weight(const std::string& name, const Tensor& tensor);
  NodeBuilder node(const std::string& op_type, const std::vector<std::string>& inputs,
                   const std::vector<std::string>& outputs);
  onnx::ModelProto& proto() { return proto_; }
  Model build() const;
  std::string bytes() const { return proto_.SerializeAsString(); }

 private:
  onnx::ModelProto proto_;
};

/// Deterministic values in [-1, 1); different seeds give different ones.
Tensor noise(const Dims& dims, unsigned seed);
/// Deterministic values in [0.5, 1.5), for variances.
Tensor positive_noise(const Dims& dims, unsigned seed);
Tensor floats(const std::vector<float>& values);
Tensor ints(const std::vector<int64_t>& values);

}  // namespace limbeck::test
