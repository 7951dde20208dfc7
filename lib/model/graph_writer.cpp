#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "lib/model/graph_io.h"
#include "lib/model/model.h"

namespace limbeck {
namespace {

using ValueInfos = google::protobuf::RepeatedPtrField<onnx::ValueInfoProto>;

/// Leaves a declaration alone that says the same already.
void write_type(const Value& value, onnx::TypeProto* type) {
  if (value.type == DataType::kUndefined) return;
  const DeclaredType declared = declared_type(*type, "tensor '" + value.name() + "'");
  if (declared.type == value.type && declared.shape == value.shape) return;
  auto* tensor = type->mutable_tensor_type();
  tensor->set_elem_type(static_cast<int32_t>(value.type));
  tensor->clear_shape();
  if (!value.shape) return;
  auto* shape = tensor->mutable_shape();
  for (const Dim& dim : *value.shape) {
    auto* target = shape->add_dim();
    if (dim.known()) target->set_dim_value(dim.value);
    if (!dim.known() && !dim.symbol.empty()) target->set_dim_param(dim.symbol);
  }
}

/// Whether a constant that the model also lists as an input has got other dimensions than it was
/// declared with.
bool outgrown(const Value& value, const onnx::TypeProto& type) {
  if (value.constant() == nullptr || !value.shape) return false;
  const DeclaredType declared = declared_type(type, "tensor '" + value.name() + "'");
  if (!declared.shape) return false;
  return !std::equal(
      declared.shape->begin(), declared.shape->end(), value.shape->begin(), value.shape->end(),
      [](const Dim& old, const Dim& now) { return !old.known() || old.value == now.value; });
}

/// Keeps the original ValueInfoProto of an interface value, so that documentation and unknown
/// fields survive.
void write_interface(const std::vector<Value*>& values, const ValueInfos& old, ValueInfos* target) {
  std::unordered_map<std::string, const onnx::ValueInfoProto*> known;
  for (const auto& info : old) known.emplace(info.name(), &info);
  ValueInfos result;
  for (const Value* value : values) {
    auto* info = result.Add();
    const auto found = known.find(value->name());
    if (found != known.end()) *info = *found->second;
    info->set_name(value->name());
    if (found == known.end() || outgrown(*value, info->type()))
      write_type(*value, info->mutable_type());
  }
  target->Swap(&result);
}

/// Graph inputs together with the constants that the model lists as inputs too, in the model's
/// order.
std::vector<Value*> listed_inputs(const Graph& graph, const ValueInfos& old) {
  std::vector<Value*> inputs;
  std::unordered_set<const Value*> listed;
  for (const auto& info : old) {
    Value* value = graph.find(info.name());
    if (value == nullptr || value->producer() != nullptr) continue;
    inputs.push_back(value);
    listed.insert(value);
  }
  for (Value* value : graph.inputs()) {
    if (!listed.contains(value)) inputs.push_back(value);
  }
  return inputs;
}

void write_nodes(const Graph& graph, onnx::GraphProto* proto) {
  for (const auto& node : graph.nodes()) {
    onnx::NodeProto* target = proto->add_node();
    *target = node->proto();
    // A name that was made up from an output that was renamed since is kept, or a plan would lose
    // its node.
    if (target->name().empty() && node->output(0) != nullptr &&
        node->name() != name_from_output(*node))
      target->set_name(node->name());
    target->clear_input();
    target->clear_output();
    for (const Value* input : node->inputs())
      target->add_input(input == nullptr ? "" : input->name());
    for (const Value* output : node->outputs())
      target->add_output(output == nullptr ? "" : output->name());
  }
}

}  // namespace

std::vector<StoredConstant> GraphWriter::write_without_weights(const Graph& graph,
                                                               onnx::GraphProto* proto) {
  *proto = graph.rest_;
  write_interface(listed_inputs(graph, graph.rest_.input()), graph.rest_.input(),
                  proto->mutable_input());
  write_interface(graph.outputs_, graph.rest_.output(), proto->mutable_output());
  ValueInfos kept;
  for (auto& info : *proto->mutable_value_info()) {
    const Value* value = graph.find(info.name());
    if (value == nullptr) continue;
    write_type(*value, info.mutable_type());
    kept.Add()->Swap(&info);
  }
  proto->mutable_value_info()->Swap(&kept);
  write_nodes(graph, proto);
  std::vector<StoredConstant> constants;
  for (const auto& value : graph.values_) {
    if (value->is_initializer())
      constants.push_back({value->name(), *value->constant(), value->remarks_});
  }
  return constants;
}

void GraphWriter::write_weight(const Tensor& tensor, onnx::TensorProto* proto) {
  constexpr size_t kInlineBytes = 1024;
  proto->set_data_type(static_cast<int32_t>(tensor.type()));
  proto->clear_dims();
  for (const int64_t dim : tensor.dims()) proto->add_dims(dim);
  proto->clear_external_data();
  proto->clear_data_location();
  if (external_ == nullptr || tensor.bytes() < kInlineBytes) {
    proto->set_raw_data(reinterpret_cast<const char*>(tensor.raw()), tensor.bytes());
    return;
  }
  constexpr int64_t kPage = 4096;
  const int64_t padding = (kPage - external_offset_ % kPage) % kPage;
  external_->write(std::string(static_cast<size_t>(padding), '\0'));
  external_offset_ += padding;
  external_->write({reinterpret_cast<const char*>(tensor.raw()), tensor.bytes()});
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

/// Tensors that stay protobuf may point into data files of the folder that the model came from.
void GraphWriter::move_external(const Graph& graph, onnx::ModelProto* model) {
  ExternalData source(graph.folder_);
  const auto move = [&](onnx::TensorProto& tensor, const std::string& place) {
    write_weight(source.read(tensor, place), &tensor);
  };
  for_each_external(model->mutable_graph(), move);
  for (auto& function : *model->mutable_functions()) {
    for (auto& node : *function.mutable_node()) for_each_external(&node, move);
  }
}

void GraphWriter::write(const Graph& graph, onnx::ModelProto* model) {
  onnx::GraphProto* proto = model->mutable_graph();
  const std::vector<StoredConstant> constants = write_without_weights(graph, proto);
  move_external(graph, model);
  for (const StoredConstant& constant : constants) {
    auto* target = proto->add_initializer();
    if (constant.remarks != nullptr) *target = *constant.remarks;
    target->set_name(constant.name);
    write_weight(constant.tensor, target);
  }
}

}  // namespace limbeck
