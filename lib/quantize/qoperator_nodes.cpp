#include "lib/quantize/qoperator_nodes.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

namespace limbeck {
namespace {

using Row = std::pair<std::string_view, std::string_view>;

constexpr std::array<Row, 2> kBinary = {{{"Add", "QLinearAdd"}, {"Mul", "QLinearMul"}}};
constexpr std::array<Row, 4> kUnary = {{{"Sigmoid", "QLinearSigmoid"},
                                        {"LeakyRelu", "QLinearLeakyRelu"},
                                        {"AveragePool", "QLinearAveragePool"},
                                        {"GlobalAveragePool", "QLinearGlobalAveragePool"}}};
constexpr std::array<std::string_view, 10> kMovers = {
    "DepthToSpace", "Flatten", "Gather",  "MaxPool",   "Reshape",
    "Slice",        "Split",   "Squeeze", "Transpose", "Unsqueeze"};

template <size_t N>
std::string_view second(const std::array<Row, N>& rows, std::string_view first) {
  const auto found =
      std::find_if(rows.begin(), rows.end(), [&](const Row& row) { return row.first == first; });
  return found == rows.end() ? std::string_view() : found->second;
}

}  // namespace

std::string_view binary_name(std::string_view op_type) { return second(kBinary, op_type); }

std::string_view unary_name(std::string_view op_type) { return second(kUnary, op_type); }

bool moves_integers(const Node& node) {
  if (node.op_type() == "Resize") return node.string_attribute("mode", "nearest") == "nearest";
  if (node.op_type() == "MaxPool" && node.outputs().size() > 1) return false;
  return std::find(kMovers.begin(), kMovers.end(), node.op_type()) != kMovers.end();
}

void copy_attributes(const Node& from, Node* to) {
  for (const onnx::AttributeProto& attribute : from.proto().attribute()) {
    const std::string& name = attribute.name();
    switch (attribute.type()) {
      case onnx::AttributeProto::INT: to->set_attribute(name, attribute.i()); break;
      case onnx::AttributeProto::FLOAT: to->set_attribute(name, attribute.f()); break;
      case onnx::AttributeProto::STRING: to->set_attribute(name, attribute.s()); break;
      case onnx::AttributeProto::INTS:
        to->set_attribute(name,
                          std::vector<int64_t>(attribute.ints().begin(), attribute.ints().end()));
        break;
      default: break;
    }
  }
}

}  // namespace limbeck
