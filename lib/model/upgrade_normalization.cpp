// BatchNormalization, GroupNormalization and the Softmax family.
#include <algorithm>
#include <optional>
#include <utility>

#include "lib/model/upgrade_rules.h"

namespace limbeck {
namespace {

/// Softmax of opset 12 and older works on a matrix: axes before `axis` are rows, `axis` and all
/// after it are columns. That is one axis only when every later axis has size 1. Absent when it is
/// not, or when that is not known.
std::optional<int64_t> single_axis(const Value* x, int64_t axis) {
  if (axis == -1) return axis;
  if (x == nullptr || !x->shape) return std::nullopt;
  const Shape& shape = *x->shape;
  const auto rank = static_cast<int64_t>(shape.size());
  const int64_t first = axis < 0 ? axis + rank : axis;
  if (first < 0 || first >= rank) return std::nullopt;
  const bool rest_is_one = std::all_of(shape.begin() + first + 1, shape.end(),
                                       [](const Dim& dim) { return dim.value == 1; });
  if (!rest_is_one) return std::nullopt;
  return axis;
}

/// Flatten -> op over the last axis -> Reshape to what came in.
void insert_flattening(Graph& graph, Node* node, int64_t axis) {
  Value* x = node->input(0);
  Value* output = node->output(0);
  if (output->captured_by_subgraph()) {
    throw_no_upgrade(*node, "a Softmax over several axes must not be read by a subgraph",
                     "'" + output->name() + "'", "export the model with opset 13 or later");
  }
  const std::string name = output->name();
  const std::string label = node->name();
  Node* flatten =
      graph.add_node("Flatten", "", label + "/flatten", {x}, {name + "_flat_input"}, node);
  flatten->set_attribute("axis", axis);
  Node* shape = graph.add_node("Shape", "", label + "/shape", {x}, {name + "_shape"}, node);
  shape->output(0)->type = DataType::kInt64;
  Node* inner =
      graph.add_node(node->op_type(), "", label, {flatten->output(0)}, {name + "_flat"}, node);
  inner->set_attribute("axis", int64_t{-1});
  Node* reshape = graph.add_node("Reshape", "", label + "/reshape",
                                 {inner->output(0), shape->output(0)}, {name}, node);
  Value* result = reshape->output(0);
  for (Value* value : {flatten->output(0), inner->output(0), result}) value->type = output->type;
  result->shape = output->shape;
  graph.replace_all_uses(output, result);
  graph.remove_node(node);
  graph.rename(result, name);
}

/// One number a group becomes one number a channel.
Tensor repeat_elements(const Tensor& groups, int64_t times) {
  Tensor result = Tensor::allocate(DataType::kFloat, {groups.count() * times});
  const auto source = groups.as<float>();
  const auto target = result.mutable_as<float>();
  for (size_t i = 0; i < target.size(); ++i) target[i] = source[i / static_cast<size_t>(times)];
  return result;
}

}  // namespace

void upgrade_batch_norm_9(Graph& /*graph*/, Node* node) {
  if (node->int_attribute("spatial", 1) == 0) {
    throw_no_upgrade(*node, "BatchNormalization must normalise per channel from opset 9 on",
                     "spatial = 0", "export the model with opset 9 or later");
  }
  node->remove_attribute("spatial");
}

void upgrade_batch_norm_14(Graph& /*graph*/, Node* node) {
  const auto present = std::count_if(node->outputs().begin(), node->outputs().end(),
                                     [](const Value* v) { return v != nullptr; });
  if (present <= 1) return;
  throw_no_upgrade(*node, "BatchNormalization must be in inference mode, with one output",
                   std::to_string(present) + " outputs", "export the model for inference");
}

void upgrade_softmax_13(Graph& graph, Node* node) {
  if (node->outputs().size() != 1 || node->output(0) == nullptr) {
    throw_no_upgrade(*node, "the operator must have one output",
                     std::to_string(node->outputs().size()) + " outputs", "export the model again");
  }
  const int64_t axis = node->int_attribute("axis", 1);
  const auto single = single_axis(node->input(0), axis);
  if (!single) {
    insert_flattening(graph, node, axis);
    return;
  }
  node->set_attribute("axis", *single);
}

void upgrade_group_norm_21(Graph& graph, Node* node) {
  const Value* x = node->input(0);
  const int64_t groups = node->int_attribute("num_groups", 0);
  const bool known = x != nullptr && x->shape && x->shape->size() > 1 && (*x->shape)[1].known();
  const int64_t channels = known ? (*x->shape)[1].value : 0;
  for (const size_t index : {size_t{1}, size_t{2}}) {
    const Tensor* tensor = node->input(index) == nullptr ? nullptr : node->input(index)->constant();
    const bool fits = tensor != nullptr && tensor->type() == DataType::kFloat && groups > 0 &&
                      channels % groups == 0 && channels > 0 && tensor->count() == groups;
    if (!fits) {
      throw_no_upgrade(*node,
                       "scale and bias must be float constants, one number a group, of a known "
                       "number of channels",
                       "something else", "export the model with opset 21");
    }
    add_constant_input(graph, node, index, index == 1 ? "scale" : "bias",
                       repeat_elements(*tensor, channels / groups));
  }
}

}  // namespace limbeck
