#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "lib/base/error.h"
#include "lib/model/graph_io.h"
#include "lib/model/model.h"

namespace limbeck {
namespace {

[[noreturn]] void throw_invalid(const std::string& place, const std::string& rule,
                                const std::string& received) {
  throw_error(Category::kInvalidModel, place, rule, received,
              "export the model again; the file is damaged or hostile");
}

std::string value_place(const std::string& name) { return "tensor '" + name + "'"; }

void apply_type(const onnx::TypeProto& type, Value* value) {
  if (!type.has_tensor_type()) return;
  DeclaredType declared = declared_type(type, value_place(value->name()));
  value->type = declared.type;
  if (declared.shape) value->shape = std::move(declared.shape);
}

/// What is left of an initializer without its type, dimensions and bytes; null when nothing is.
std::shared_ptr<const onnx::TensorProto> remarks_of(onnx::TensorProto* initializer) {
  auto remarks = std::make_shared<onnx::TensorProto>();
  remarks->Swap(initializer);
  remarks->clear_name();
  remarks->clear_data_type();
  remarks->clear_dims();
  remarks->clear_raw_data();
  remarks->clear_float_data();
  remarks->clear_double_data();
  remarks->clear_int32_data();
  remarks->clear_int64_data();
  remarks->clear_uint64_data();
  remarks->clear_external_data();
  remarks->clear_data_location();
  if (remarks->ByteSizeLong() == 0) return nullptr;
  return std::make_shared<const onnx::TensorProto>(*remarks);
}

/// A number attribute of a Constant node as a tensor; empty for strings and sparse tensors.
std::optional<Tensor> numbers_of(const onnx::AttributeProto& attribute) {
  if (attribute.name() == "value_float") return Tensor::scalar(attribute.f());
  if (attribute.name() == "value_int") return Tensor::scalar<int64_t>(attribute.i());
  if (attribute.name() == "value_floats") {
    return Tensor::from<float>({attribute.floats_size()},
                               {attribute.floats().begin(), attribute.floats().end()});
  }
  if (attribute.name() == "value_ints") {
    return Tensor::from<int64_t>({attribute.ints_size()},
                                 {attribute.ints().begin(), attribute.ints().end()});
  }
  return std::nullopt;
}

}  // namespace

DeclaredType declared_type(const onnx::TypeProto& type, const std::string& place) {
  DeclaredType declared;
  if (!type.has_tensor_type()) return declared;
  declared.type = static_cast<DataType>(type.tensor_type().elem_type());
  if (!type.tensor_type().has_shape()) return declared;
  Shape shape;
  Dims known;
  for (const auto& dim : type.tensor_type().shape().dim()) {
    Dim result;
    if (dim.has_dim_value()) result.value = dim.dim_value();
    if (dim.has_dim_param()) result.symbol = dim.dim_param();
    if (result.value < -1)
      throw_invalid(place, "a dimension must not be negative", std::to_string(result.value));
    known.push_back(std::max<int64_t>(result.value, 1));
    shape.push_back(std::move(result));
  }
  element_count(known, place);
  declared.shape = std::move(shape);
  return declared;
}

Value* GraphReader::declare(const std::string& name, const std::string& place) {
  if (name.empty()) throw_invalid(place, "a tensor must have a name", "an empty name");
  if (graph_.find(name) != nullptr)
    throw_invalid(place, "a tensor must be defined once", "'" + name + "' a second time");
  return graph_.add_value(name);
}

Graph GraphReader::read(onnx::GraphProto proto, const std::vector<StoredConstant>& constants) {
  graph_.folder_ = external_.folder();
  read_inputs(proto);
  read_initializers(&proto);
  read_constants(constants);
  const auto has_default = [](const Value* value) { return !value->graph_input_; };
  std::erase_if(graph_.inputs_, has_default);
  read_nodes(&proto);
  for (const auto& info : proto.value_info()) read_value_info(info);
  read_outputs(proto);
  name_nodes();
  graph_.sort();
  proto.clear_node();
  graph_.rest_ = std::move(proto);
  return std::move(graph_);
}

void GraphReader::check_functions(onnx::ModelProto* model) {
  for (auto& function : *model->mutable_functions()) {
    for (auto& node : *function.mutable_node()) for_each_external(&node, check_external());
  }
}

TensorVisit GraphReader::check_external() {
  return [this](onnx::TensorProto& tensor, const std::string& place) {
    external_.read(tensor, place);
  };
}

void GraphReader::read_inputs(const onnx::GraphProto& proto) {
  for (const auto& input : proto.input()) {
    Value* value = declare(input.name(), "graph input");
    value->graph_input_ = true;
    apply_type(input.type(), value);
    graph_.inputs_.push_back(value);
  }
}

void GraphReader::read_initializers(onnx::GraphProto* proto) {
  std::unordered_set<std::string> seen;
  google::protobuf::RepeatedPtrField<onnx::TensorProto> opaque;
  for (auto& initializer : *proto->mutable_initializer()) {
    if (!seen.insert(initializer.name()).second)
      throw_invalid(value_place(initializer.name()), "a tensor must be defined once",
                    "a second initializer");
    read_initializer(&initializer);
    // What was not read (strings, types of unknown width) is handed through.
    if (initializer.has_data_type()) opaque.Add()->Swap(&initializer);
  }
  proto->mutable_initializer()->Swap(&opaque);
  for (auto& sparse : *proto->mutable_sparse_initializer()) {
    const std::string place = value_place(sparse.values().name());
    element_count({sparse.dims().begin(), sparse.dims().end()}, place);
    declare(sparse.values().name(), "sparse initializer");
  }
  for_each_external(proto, check_external());
}

void GraphReader::read_initializer(onnx::TensorProto* initializer) {
  const std::string place = value_place(initializer->name());
  if (initializer->data_type() <= 0)
    throw_invalid(place, "an initializer must have an element type",
                  std::to_string(initializer->data_type()));
  Value* value = graph_.find(initializer->name());
  if (value == nullptr) value = declare(initializer->name(), "initializer");
  value->graph_input_ = false;
  if (bits_per_element(static_cast<DataType>(initializer->data_type())) == 0) return;
  Graph::hold_constant(value, take_tensor(initializer, &external_, place));
  value->remarks_ = remarks_of(initializer);
}

void GraphReader::read_constants(const std::vector<StoredConstant>& constants) {
  for (const StoredConstant& constant : constants) {
    Value* value = graph_.find(constant.name);
    if (value == nullptr) value = declare(constant.name, value_place(constant.name));
    value->graph_input_ = false;
    Graph::hold_constant(value, constant.tensor);
    value->remarks_ = constant.remarks;
  }
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
  for_each_subgraph(node->proto_, [this, node](const onnx::GraphProto& subgraph) {
    connect_subgraph(node, subgraph);
  });
  if (node->op_type() == "Constant" && node->domain().empty() && node->output(0) != nullptr)
    read_constant_node(node);
}

void GraphReader::connect_subgraph(Node* node, const onnx::GraphProto& subgraph) {
  for (const std::string& name : free_names(subgraph, node->place())) {
    Value* value = graph_.find(name);
    if (value == nullptr) {
      throw_invalid(node->place(), "a subgraph must read what it or a graph around it defines",
                    "'" + name + "'");
    }
    value->captured_ = true;
    node->captures_.push_back(value);
  }
}

void GraphReader::read_constant_node(Node* node) {
  for (auto& attribute : *node->proto_.mutable_attribute()) {
    if (auto numbers = numbers_of(attribute)) {
      Graph::hold_constant(node->output(0), *std::move(numbers));
      return;
    }
    if (attribute.name() != "value" || !attribute.has_t()) continue;
    if (bits_per_element(static_cast<DataType>(attribute.t().data_type())) == 0) return;
    onnx::TensorProto tensor = attribute.t();
    Graph::hold_constant(node->output(0), take_tensor(&tensor, &external_, node->place()));
    return;
  }
}

void GraphReader::read_value_info(const onnx::ValueInfoProto& info) {
  Value* value = graph_.find(info.name());
  if (value != nullptr && value->constant() == nullptr) apply_type(info.type(), value);
}

void GraphReader::read_outputs(const onnx::GraphProto& proto) {
  for (const auto& output : proto.output()) {
    Value* value = graph_.find(output.name());
    if (value == nullptr)
      throw_invalid("graph output", "every output must be computed by the graph",
                    "'" + output.name() + "'");
    value->graph_output_ = true;
    if (value->constant() == nullptr) apply_type(output.type(), value);
    graph_.outputs_.push_back(value);
  }
}

std::string name_from_output(const Node& node) {
  return node.op_type() + (node.output(0) == nullptr ? "" : ":" + node.output(0)->name());
}

void GraphReader::name_nodes() {
  std::unordered_set<std::string> taken;
  std::unordered_map<std::string, int64_t>
      next;  // without it, many equal names take quadratic time
  for (const auto& node : graph_.nodes_) {
    std::string wanted = node->name_;
    if (wanted.empty()) wanted = name_from_output(*node);
    std::string name = wanted;
    while (!taken.insert(name).second) name = wanted + "_" + std::to_string(++next[wanted]);
    node->name_ = name;
  }
}

}  // namespace limbeck
