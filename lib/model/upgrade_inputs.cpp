// Attributes that became inputs.
#include <utility>

#include "lib/base/error.h"
#include "lib/model/upgrade_rules.h"

namespace limbeck {
namespace {

void move_ints(Graph& graph, Node* node, const char* attribute, size_t index) {
  if (!node->has_attribute(attribute)) return;
  add_constant_input(graph, node, index, attribute,
                     int_vector(node->ints_attribute(attribute, {})));
  node->remove_attribute(attribute);
}

/// A bound or fill value must have the element type of the data.
Tensor scalar_like(const Node& node, float value) {
  const DataType type = node.input(0) == nullptr ? DataType::kFloat : node.input(0)->type;
  if (type == DataType::kFloat || type == DataType::kUndefined) return Tensor::scalar(value);
  if (type == DataType::kDouble) return Tensor::scalar<double>(value);
  throw_no_upgrade(node, "a number that became an input must be float or double",
                   data_type_name(type), "export the model with opset 11 or later");
}

void move_float(Graph& graph, Node* node, const char* attribute, size_t index) {
  if (!node->has_attribute(attribute)) return;
  add_constant_input(graph, node, index, attribute,
                     scalar_like(*node, node->float_attribute(attribute, 0)));
  node->remove_attribute(attribute);
}

}  // namespace

void throw_no_upgrade(const Node& node, const std::string& rule, const std::string& received,
                      const std::string& next_step) {
  throw_error(Category::kUnsupported, node.place(), rule, received, next_step);
}

void add_constant_input(Graph& graph, Node* node, size_t index, const std::string& suffix,
                        Tensor tensor) {
  const std::string base = node->output(0) == nullptr ? node->name() : node->output(0)->name();
  graph.set_input(node, index, graph.add_initializer(base + "_" + suffix, std::move(tensor)));
}

Tensor int_vector(const std::vector<int64_t>& values) {
  return Tensor::from<int64_t>({static_cast<int64_t>(values.size())}, values);
}

void upgrade_axes_to_input(Graph& graph, Node* node) { move_ints(graph, node, "axes", 1); }

void upgrade_split_13(Graph& graph, Node* node) { move_ints(graph, node, "split", 1); }

void upgrade_split_18(Graph& /*graph*/, Node* node) {
  if (node->input(1) == nullptr)
    node->set_attribute("num_outputs", static_cast<int64_t>(node->outputs().size()));
}

void upgrade_slice_10(Graph& graph, Node* node) {
  move_ints(graph, node, "starts", 1);
  move_ints(graph, node, "ends", 2);
  move_ints(graph, node, "axes", 3);
}

void upgrade_top_k_10(Graph& graph, Node* node) {
  add_constant_input(graph, node, 1, "k", int_vector({node->int_attribute("k", 1)}));
  node->remove_attribute("k");
}

void upgrade_pad_11(Graph& graph, Node* node) {
  move_ints(graph, node, "pads", 1);
  if (node->float_attribute("value", 0.0F) == 0.0F) node->remove_attribute("value");
  move_float(graph, node, "value", 2);
}

void upgrade_clip_11(Graph& graph, Node* node) {
  move_float(graph, node, "min", 1);
  move_float(graph, node, "max", 2);
}

void upgrade_dropout_10(Graph& /*graph*/, Node* node) {
  const Value* mask = node->output(1);
  if (mask == nullptr ||
      (mask->uses().empty() && !mask->is_graph_output() && !mask->captured_by_subgraph()))
    return;
  throw_no_upgrade(*node, "the mask of Dropout must be unused, its type changed in opset 10",
                   "'" + mask->name() + "' in use", "export the model for inference");
}

void upgrade_dropout_12(Graph& graph, Node* node) {
  if (!node->has_attribute("ratio")) return;
  add_constant_input(graph, node, 1, "ratio", Tensor::scalar(node->float_attribute("ratio", 0.5F)));
  node->remove_attribute("ratio");
}

void upgrade_dft_20(Graph& graph, Node* node) {
  add_constant_input(graph, node, 2, "axis",
                     Tensor::scalar<int64_t>(node->int_attribute("axis", 1)));
  node->remove_attribute("axis");
}

void upgrade_scatter_11(Graph& /*graph*/, Node* node) { node->set_op_type("ScatterElements"); }

void upgrade_scan_9(Graph& /*graph*/, Node* node) {
  throw_no_upgrade(*node, "Scan lost its batch axis in opset 9", "Scan of opset 8",
                   "export the model with opset 9 or later");
}

}  // namespace limbeck
