// Graphs as text.
#include <array>
#include <charconv>

#include "lib/model/graph.h"

namespace limbeck {
namespace {

std::string name_list(const std::vector<Value*>& values) {
  std::string joined;
  for (size_t i = 0; i < values.size(); ++i)
    joined += (i == 0 ? "" : ", ") + (values[i] == nullptr ? std::string("-") : values[i]->name());
  return joined;
}

std::string operator_text(const Node& node) {
  return (node.domain().empty() ? "" : node.domain() + "::") + node.op_type();
}

std::string typed(const Value* value) {
  if (value == nullptr) return "-";
  if (value->type == DataType::kUndefined && !value->shape) return value->name();
  return value->name() + ":" + data_type_name(value->type) +
         (value->shape ? shape_text(*value->shape) : "");
}

std::string typed_list(const std::vector<Value*>& values) {
  std::string joined;
  for (size_t i = 0; i < values.size(); ++i) joined += (i == 0 ? "" : ", ") + typed(values[i]);
  return joined;
}

/// The shortest text that reads back as the same number.
std::string number_text(float value) {
  std::array<char, 32> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr;
  return {buffer.data(), end};
}
std::string number_text(int64_t value) { return std::to_string(value); }

template <typename Numbers>
std::string number_list(const Numbers& numbers) {
  constexpr int kShown = 8;
  std::string text = "[";
  for (int i = 0; i < numbers.size() && i < kShown; ++i)
    text += (i == 0 ? "" : ",") + number_text(numbers.Get(i));
  if (numbers.size() > kShown) text += ",... " + std::to_string(numbers.size()) + " numbers";
  return text + "]";
}

std::string tensor_text(const onnx::TensorProto& tensor) {
  return data_type_name(static_cast<DataType>(tensor.data_type())) + " tensor of rank " +
         std::to_string(tensor.dims_size());
}

std::string attribute_text(const onnx::AttributeProto& attribute) {
  switch (attribute.type()) {
    case onnx::AttributeProto::INT: return number_text(attribute.i());
    case onnx::AttributeProto::FLOAT: return number_text(attribute.f());
    case onnx::AttributeProto::STRING: return "'" + attribute.s() + "'";
    case onnx::AttributeProto::INTS: return number_list(attribute.ints());
    case onnx::AttributeProto::FLOATS: return number_list(attribute.floats());
    case onnx::AttributeProto::TENSOR: return tensor_text(attribute.t());
    case onnx::AttributeProto::GRAPH:
      return "graph of " + std::to_string(attribute.g().node_size()) + " nodes";
    default: return "...";
  }
}

std::string attribute_list(const Node& node) {
  std::string text;
  for (const auto& attribute : node.proto().attribute())
    text += (text.empty() ? " {" : ", ") + attribute.name() + "=" + attribute_text(attribute);
  return text.empty() ? text : text + "}";
}

}  // namespace

std::string Graph::dump() const {
  std::string text;
  for (const auto& node : nodes_) {
    text += name_list(node->outputs_) + " = " + operator_text(*node) + "(" +
            name_list(node->inputs_) + ")\n";
  }
  return text + "return " + name_list(outputs_) + "\n";
}

std::string Graph::dump_details() const {
  std::string text;
  for (const Value* input : inputs_) text += "input " + typed(input) + "\n";
  for (const auto& value : values_) {
    if (value->is_initializer()) text += "constant " + typed(value.get()) + "\n";
  }
  for (const auto& node : nodes_) {
    text += typed_list(node->outputs_) + " = " + operator_text(*node) + "(" +
            name_list(node->inputs_) + ")" + attribute_list(*node) + "\n";
  }
  return text + "return " + name_list(outputs_) + "\n";
}

}  // namespace limbeck
