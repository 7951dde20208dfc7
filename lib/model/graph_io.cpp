#include "lib/model/graph_io.h"

#include <algorithm>
#include <unordered_set>

#include "lib/base/error.h"
#include "lib/model/model.h"

namespace limbeck {
namespace {

[[noreturn]] void throw_invalid(const std::string& place, const std::string& rule,
                                const std::string& received) {
  throw_error(Category::kInvalidModel, place, rule, received,
              "export the model again; the file is damaged or hostile");
}

std::string value_place(const std::string& name) { return "tensor '" + name + "'"; }

void read_type(const onnx::TypeProto& type, Value* value) {
  if (!type.has_tensor_type()) return;
  value->type = static_cast<DataType>(type.tensor_type().elem_type());
  if (!type.tensor_type().has_shape()) return;
  Shape shape;
  for (const auto& dim : type.tensor_type().shape().dim()) {
    Dim result;
    if (dim.has_dim_value()) result.value = dim.dim_value();
    if (dim.has_dim_param()) result.symbol = dim.dim_param();
    if (result.value < -1)
      throw_invalid(value_place(value->name()), "a dimension must not be negative",
                    std::to_string(result.value));
    shape.push_back(std::move(result));
  }
  value->shape = std::move(shape);
}

}  // namespace

Value* GraphReader::declare(const std::string& name, const std::string& place) {
  if (name.empty()) throw_invalid(place, "a tensor must have a name", "an empty name");
  if (graph_.find(name) != nullptr)
    throw_invalid(place, "a tensor must be defined once", "'" + name + "' a second time");
  return graph_.add_value(name);
}

Graph GraphReader::read(onnx::GraphProto proto,
                        const std::vector<std::pair<std::string, Tensor>>& constants) {
  read_inputs(proto);
  read_initializers(&proto);
  for (const auto& [name, tensor] : constants) {
    Value* value = graph_.find(name);
    graph_.set_constant(value == nullptr ? declare(name, value_place(name)) : value, tensor);
  }
  for (Value* value : graph_.inputs_) value->graph_input_ = value->constant() == nullptr;
  std::erase_if(graph_.inputs_, [](const Value* value) { return value->constant() != nullptr; });
  read_nodes(&proto);
  for (const auto& info : proto.value_info()) read_value_info(info);
  read_outputs(proto);
  name_nodes();
  graph_.sort();
  proto.clear_node();
  graph_.rest_ = std::move(proto);
  return std::move(graph_);
}

void GraphReader::read_inputs(const onnx::GraphProto& proto) {
  for (const auto& input : proto.input()) {
    Value* value = declare(input.name(), "graph input");
    value->graph_input_ = true;
    read_type(input.type(), value);
    graph_.inputs_.push_back(value);
  }
}

void GraphReader::read_initializers(onnx::GraphProto* proto) {
  std::unordered_set<std::string> seen;
  google::protobuf::RepeatedPtrField<onnx::TensorProto> opaque;
  for (auto& initializer : *proto->mutable_initializer()) {
    const std::string place = value_place(initializer.name());
    if (!seen.insert(initializer.name()).second)
      throw_invalid(place, "a tensor must be defined once", "a second initializer");
    Value* value = graph_.find(initializer.name());
    if (value == nullptr) value = declare(initializer.name(), "initializer");
    if (bits_per_element(static_cast<DataType>(initializer.data_type())) == 0) {
      *opaque.Add() = std::move(initializer);  // strings: handed through unread
      continue;
    }
    graph_.set_constant(value, tensor_from_proto(initializer, folder_, place));
    initializer.Clear();
  }
  proto->mutable_initializer()->Swap(&opaque);
  for (const auto& sparse : proto->sparse_initializer())
    declare(sparse.values().name(), "sparse initializer");
}

void GraphReader::read_nodes(onnx::GraphProto* proto) {
  for (auto& node_proto : *proto->mutable_node()) {
    if (node_proto.op_type().empty())
      throw_invalid("node '" + node_proto.name() + "'", "a node must name its operator", "none");
    auto owned = std::make_unique<Node>();
    Node* node = owned.get();
    node->proto_ = std::move(node_proto);
    node->name_ = node->proto_.name();
    if (node->proto_.domain() == "ai.onnx") node->proto_.clear_domain();
    node->position_ = graph_.nodes_.insert(graph_.nodes_.end(), std::move(owned));
    for (const std::string& output : node->proto_.output()) {
      Value* value = output.empty() ? nullptr : declare(output, node->place());
      if (value != nullptr) value->producer_ = node;
      node->outputs_.push_back(value);
    }
  }
  for (const auto& node : graph_.nodes_) connect(node.get());
}

void GraphReader::connect(Node* node) {
  for (const std::string& input : node->proto_.input()) {
    Value* value = input.empty() ? nullptr : graph_.find(input);
    if (value == nullptr && !input.empty()) {
      throw_invalid(node->place(),
                    "every input must be a graph input, an initializer or a node's output",
                    "'" + input + "'");
    }
    graph_.set_input(node, node->inputs_.size(), value);
  }
  for (const auto& attribute : node->proto_.attribute()) {
    if (attribute.has_g()) mark_captures(attribute.g());
    for (const auto& subgraph : attribute.graphs()) mark_captures(subgraph);
  }
  const auto* constant = node->op_type() == "Constant" && node->domain().empty()
                             ? node->find_attribute("value")
                             : nullptr;
  if (constant != nullptr && constant->has_t() && node->output(0) != nullptr &&
      bits_per_element(static_cast<DataType>(constant->t().data_type())) > 0) {
    graph_.set_constant(node->output(0), tensor_from_proto(constant->t(), folder_, node->place()));
  }
}

void GraphReader::mark_captures(const onnx::GraphProto& subgraph) {
  const auto mark = [this](const std::string& name) {
    if (Value* value = graph_.find(name)) value->captured_ = true;
  };
  for (const auto& node : subgraph.node()) {
    for (const std::string& input : node.input()) mark(input);
    for (const auto& attribute : node.attribute()) {
      if (attribute.has_g()) mark_captures(attribute.g());
      for (const auto& nested : attribute.graphs()) mark_captures(nested);
    }
  }
  for (const auto& output : subgraph.output()) mark(output.name());
}

void GraphReader::read_value_info(const onnx::ValueInfoProto& info) {
  Value* value = graph_.find(info.name());
  if (value != nullptr && value->constant() == nullptr) read_type(info.type(), value);
}

void GraphReader::read_outputs(const onnx::GraphProto& proto) {
  for (const auto& output : proto.output()) {
    Value* value = graph_.find(output.name());
    if (value == nullptr)
      throw_invalid("graph output", "every output must be computed by the graph",
                    "'" + output.name() + "'");
    value->graph_output_ = true;
    if (value->constant() == nullptr) read_type(output.type(), value);
    graph_.outputs_.push_back(value);
  }
}

void GraphReader::name_nodes() {
  std::unordered_set<std::string> taken;
  for (const auto& node : graph_.nodes_) {
    std::string wanted = node->name_;
    if (wanted.empty())
      wanted = node->op_type() + (node->output(0) == nullptr ? "" : ":" + node->output(0)->name());
    std::string name = wanted;
    for (int i = 1; !taken.insert(name).second; ++i) name = wanted + "_" + std::to_string(i);
    node->name_ = name;
  }
}

namespace {

void write_type(const Value& value, onnx::TypeProto* type) {
  if (value.type == DataType::kUndefined) return;
  auto* tensor = type->mutable_tensor_type();
  tensor->set_elem_type(static_cast<int32_t>(value.type));
  if (!value.shape) return;
  tensor->clear_shape();
  auto* shape = tensor->mutable_shape();
  for (const Dim& dim : *value.shape) {
    auto* target = shape->add_dim();
    if (dim.known()) target->set_dim_value(dim.value);
    if (!dim.known() && !dim.symbol.empty()) target->set_dim_param(dim.symbol);
  }
}

/// Keeps the original ValueInfoProto of an interface value, so that documentation and unknown
/// fields survive.
void write_interface(const std::vector<Value*>& values,
                     const google::protobuf::RepeatedPtrField<onnx::ValueInfoProto>& old,
                     google::protobuf::RepeatedPtrField<onnx::ValueInfoProto>* target) {
  google::protobuf::RepeatedPtrField<onnx::ValueInfoProto> result;
  for (const Value* value : values) {
    const auto known = std::find_if(
        old.begin(), old.end(), [value](const auto& info) { return info.name() == value->name(); });
    auto* info = result.Add();
    if (known != old.end()) *info = *known;
    info->set_name(value->name());
    if (known == old.end()) write_type(*value, info->mutable_type());
  }
  target->Swap(&result);
}

}  // namespace

void GraphWriter::write_structure(const Graph& graph, onnx::GraphProto* proto) {
  *proto = graph.rest_;
  std::vector<Value*> inputs = graph.inputs_;
  for (const auto& info : graph.rest_.input()) {
    Value* value = graph.find(info.name());
    if (value != nullptr && value->is_initializer()) inputs.push_back(value);
  }
  write_interface(inputs, graph.rest_.input(), proto->mutable_input());
  write_interface(graph.outputs_, graph.rest_.output(), proto->mutable_output());
  google::protobuf::RepeatedPtrField<onnx::ValueInfoProto> kept;
  for (auto& info : *proto->mutable_value_info()) {
    const Value* value = graph.find(info.name());
    if (value == nullptr || value->producer() == nullptr) continue;
    *kept.Add() = info;
    write_type(*value, kept.rbegin()->mutable_type());
  }
  proto->mutable_value_info()->Swap(&kept);
  for (const auto& node : graph.nodes()) {
    onnx::NodeProto* target = proto->add_node();
    *target = node->proto();
    if (!node->proto().name().empty() || node->name().find(':') == std::string::npos)
      target->set_name(node->name());
    target->clear_input();
    target->clear_output();
    for (const Value* input : node->inputs())
      target->add_input(input == nullptr ? "" : input->name());
    for (const Value* output : node->outputs())
      target->add_output(output == nullptr ? "" : output->name());
  }
}

void GraphWriter::write_weight(const std::string& name, const Tensor& tensor,
                               onnx::TensorProto* proto) {
  constexpr size_t kInlineBytes = 1024;
  if (external_ == nullptr || tensor.bytes() < kInlineBytes) {
    *proto = tensor_to_proto(tensor, name);
    return;
  }
  constexpr int64_t kPage = 4096;
  const int64_t padding = (kPage - external_offset_ % kPage) % kPage;
  external_->write(std::string(static_cast<size_t>(padding), '\0'));
  external_offset_ += padding;
  external_->write({reinterpret_cast<const char*>(tensor.raw()), tensor.bytes()});
  proto->set_name(name);
  proto->set_data_type(static_cast<int32_t>(tensor.type()));
  for (const int64_t dim : tensor.dims()) proto->add_dims(dim);
  proto->set_data_location(onnx::TensorProto::EXTERNAL);
  const auto add = [proto](const char* key, const std::string& text) {
    auto* entry = proto->add_external_data();
    entry->set_key(key);
    entry->set_value(text);
  };
  add("location", external_name_);
  add("offset", std::to_string(external_offset_));
  add("length", std::to_string(tensor.bytes()));
  external_offset_ += static_cast<int64_t>(tensor.bytes());
}

void GraphWriter::write(const Graph& graph, onnx::GraphProto* proto) {
  write_structure(graph, proto);
  for (const auto& value : graph.values_) {
    if (value->is_initializer())
      write_weight(value->name(), *value->constant(), proto->add_initializer());
  }
}

void GraphWriter::write_without_weights(const Graph& graph, onnx::GraphProto* proto,
                                        std::vector<std::pair<std::string, Tensor>>* constants) {
  write_structure(graph, proto);
  for (const auto& value : graph.values_) {
    if (value->is_initializer()) constants->emplace_back(value->name(), *value->constant());
  }
}

}  // namespace limbeck
