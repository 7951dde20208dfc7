// A model that uses every corner of the format, fields that the installed libonnx does not know
// included.
#pragma once

#include <string>

#include "tests/support/model_builder.h"

namespace limbeck::test {

/// Adds field 1000 (a varint, 7) to a message.
template <typename Message>
void add_unknown_field(Message* message) {
  Message unknown;
  unknown.ParseFromString(std::string("\xC0\x3E\x07", 3));
  message->MergeFrom(unknown);
}

/// If(c) { then: Add(x, w) } else { Identity(x) }, the body reading x and w from outside.
inline onnx::GraphProto branch(const std::string& op_type, const std::string& output) {
  onnx::GraphProto graph;
  graph.set_name("branch_" + op_type);
  auto* node = graph.add_node();
  node->set_name("inner_" + op_type);
  node->set_op_type(op_type);
  node->add_input("x");
  if (op_type == "Add") node->add_input("w");
  node->add_output(output);
  graph.add_output()->set_name(output);
  return graph;
}

inline void add_function(onnx::ModelProto* model) {
  auto* function = model->add_functions();
  function->set_name("Twice");
  function->set_domain("com.example");
  function->add_input("a");
  function->add_output("b");
  auto* node = function->add_node();
  node->set_op_type("Add");
  node->add_input("a");
  node->add_input("a");
  node->add_output("b");
  auto* import = function->add_opset_import();
  import->set_domain("");
  import->set_version(13);
}

inline void add_sparse(onnx::GraphProto* graph) {
  auto* sparse = graph->add_sparse_initializer();
  *sparse->mutable_values() = tensor_to_proto(floats({5, 6}), "sparse");
  *sparse->mutable_indices() = tensor_to_proto(ints({1, 3}), "");
  sparse->add_dims(4);
}

inline void add_envelope(onnx::ModelProto* model) {
  model->set_producer_name("rich");
  model->set_producer_version("1.2");
  model->set_domain("org.example");
  model->set_model_version(3);
  model->set_doc_string("a model");
  auto* property = model->add_metadata_props();
  property->set_key("author");
  property->set_value("somebody");
  model->add_training_info()->mutable_algorithm()->set_name("train");
  auto* import = model->add_opset_import();
  import->set_domain("com.example");
  import->set_version(2);
  add_function(model);
}

inline onnx::ModelProto rich_model() {
  ModelBuilder builder(13);
  builder.input("x", {-1, 4}).input("c", {}, DataType::kBool).output("y").output("z");
  builder.weight("w", floats({1, 2, 3, 4}));
  builder.node("If", {"c"}, {"chosen"})
      .with("then_branch", branch("Add", "sum"))
      .with("else_branch", branch("Identity", "same"));
  builder.node("Mystery", {"chosen", "", "sparse"}, {"m", "", "extra"})
      .in_domain("com.example")
      .with("level", 3);
  builder.node("Twice", {"m"}, {"y"}).in_domain("com.example");
  builder.node("Constant", {}, {"k"}).with("value", floats({9}));
  builder.node("Add", {"x", "k"}, {"z"});
  onnx::ModelProto& model = builder.proto();
  add_envelope(&model);
  onnx::GraphProto* graph = model.mutable_graph();
  add_sparse(graph);
  graph->set_doc_string("a graph");
  graph->mutable_initializer(0)->set_doc_string("a weight");
  graph->mutable_node(4)->set_doc_string("a node");
  graph->mutable_input(0)->set_doc_string("an input");
  auto* annotation = graph->add_quantization_annotation();
  annotation->set_tensor_name("w");
  auto* info = graph->add_value_info();
  info->set_name("extra");
  info->mutable_type()->mutable_sequence_type()->mutable_elem_type()->mutable_tensor_type();
  add_unknown_field(&model);
  add_unknown_field(graph);
  add_unknown_field(graph->mutable_node(1));
  add_unknown_field(graph->mutable_node(1)->mutable_attribute(0));
  add_unknown_field(graph->mutable_initializer(0));
  add_unknown_field(graph->mutable_input(1));
  add_unknown_field(graph->mutable_output(0));
  return model;
}

}  // namespace limbeck::test
