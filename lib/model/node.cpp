#include <algorithm>
#include <utility>

#include "lib/base/error.h"
#include "lib/model/graph.h"

namespace limbeck {
namespace {

[[noreturn]] void throw_attribute(const Node& node, std::string_view name, const char* type) {
  throw_error(Category::kInvalidModel, node.place() + " attribute '" + std::string(name) + "'",
              std::string("the attribute must be of type ") + type, "another type",
              "export the model again");
}

}  // namespace

std::string Node::place() const { return "node '" + name_ + "' (" + op_type() + ")"; }

const onnx::AttributeProto* Node::find_attribute(std::string_view name) const {
  for (const auto& attribute : proto_.attribute()) {
    if (attribute.name() == name) return &attribute;
  }
  return nullptr;
}

int64_t Node::int_attribute(std::string_view name, int64_t fallback) const {
  const auto* attribute = find_attribute(name);
  if (attribute == nullptr) return fallback;
  if (attribute->type() != onnx::AttributeProto::INT) throw_attribute(*this, name, "int");
  return attribute->i();
}

float Node::float_attribute(std::string_view name, float fallback) const {
  const auto* attribute = find_attribute(name);
  if (attribute == nullptr) return fallback;
  if (attribute->type() != onnx::AttributeProto::FLOAT) throw_attribute(*this, name, "float");
  return attribute->f();
}

std::string Node::string_attribute(std::string_view name, const std::string& fallback) const {
  const auto* attribute = find_attribute(name);
  if (attribute == nullptr) return fallback;
  if (attribute->type() != onnx::AttributeProto::STRING) throw_attribute(*this, name, "string");
  return attribute->s();
}

std::vector<int64_t> Node::ints_attribute(std::string_view name,
                                          std::vector<int64_t> fallback) const {
  const auto* attribute = find_attribute(name);
  if (attribute == nullptr) return fallback;
  if (attribute->type() != onnx::AttributeProto::INTS) throw_attribute(*this, name, "ints");
  return {attribute->ints().begin(), attribute->ints().end()};
}

std::vector<float> Node::floats_attribute(std::string_view name,
                                          std::vector<float> fallback) const {
  const auto* attribute = find_attribute(name);
  if (attribute == nullptr) return fallback;
  if (attribute->type() != onnx::AttributeProto::FLOATS) throw_attribute(*this, name, "floats");
  return {attribute->floats().begin(), attribute->floats().end()};
}

onnx::AttributeProto& Node::attribute_slot(const std::string& name,
                                           onnx::AttributeProto::AttributeType type) {
  remove_attribute(name);
  onnx::AttributeProto* slot = proto_.add_attribute();
  slot->set_name(name);
  slot->set_type(type);
  return *slot;
}

void Node::set_attribute(const std::string& name, int64_t value) {
  attribute_slot(name, onnx::AttributeProto::INT).set_i(value);
}

void Node::set_attribute(const std::string& name, float value) {
  attribute_slot(name, onnx::AttributeProto::FLOAT).set_f(value);
}

void Node::set_attribute(const std::string& name, const std::string& value) {
  attribute_slot(name, onnx::AttributeProto::STRING).set_s(value);
}

void Node::set_attribute(const std::string& name, const std::vector<int64_t>& value) {
  onnx::AttributeProto& slot = attribute_slot(name, onnx::AttributeProto::INTS);
  for (const int64_t item : value) slot.add_ints(item);
}

void Node::remove_attribute(std::string_view name) {
  auto* attributes = proto_.mutable_attribute();
  for (int i = 0; i < attributes->size(); ++i) {
    if (attributes->Get(i).name() != name) continue;
    attributes->DeleteSubrange(i, 1);
    return;
  }
}

}  // namespace limbeck
