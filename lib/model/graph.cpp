#include "lib/model/graph.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "lib/base/error.h"
#include "lib/model/model.h"

namespace limbeck {

std::string shape_text(const Shape& shape) {
  std::string text = "[";
  for (const Dim& dim : shape) {
    if (text.size() > 1) text += ",";
    text += dim.known() ? std::to_string(dim.value) : (dim.symbol.empty() ? "?" : dim.symbol);
  }
  return text + "]";
}

std::vector<Value*> Graph::values() const {
  std::vector<Value*> result;
  result.reserve(values_.size());
  for (const auto& value : values_) result.push_back(value.get());
  return result;
}

Value* Graph::find(const std::string& name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : found->second;
}

void Graph::set_input(Node* node, size_t index, Value* value) {
  if (index >= node->inputs_.size()) node->inputs_.resize(index + 1, nullptr);
  if (Value* old = node->inputs_[index]) {
    // From the back, where the uses are that remove_dead takes first.
    auto& uses = old->uses_;
    uses.erase(std::next(std::find(uses.rbegin(), uses.rend(), Use{node, index})).base());
  }
  node->inputs_[index] = value;
  if (value != nullptr) value->uses_.push_back({node, index});
}

void Graph::replace_all_uses(Value* from, Value* to) {
  if (from == to) return;
  if (from->captured_) {
    throw_error(Category::kInternal, "value '" + from->name_ + "'",
                "a value read by a subgraph cannot be replaced", "a rewrite",
                "report this bug with the model");
  }
  if (from->graph_output_ && (to->graph_output_ || to->graph_input_ || to->captured_)) {
    throw_error(Category::kInternal, "value '" + from->name_ + "'",
                "a graph output cannot be replaced by a value whose name must stay",
                "'" + to->name_ + "'", "report this bug with the model");
  }
  for (const Use& use : from->uses_) use.node->inputs_[use.index] = to;
  to->uses_.insert(to->uses_.end(), from->uses_.begin(), from->uses_.end());
  from->uses_.clear();
  if (!from->graph_output_) return;
  std::replace(outputs_.begin(), outputs_.end(), from, to);
  from->graph_output_ = false;
  to->graph_output_ = true;
  std::swap(from->name_, to->name_);
  by_name_[from->name_] = from;
  by_name_[to->name_] = to;
}

std::string Graph::unique_name(const std::string& wanted) const {
  if (!wanted.empty() && !by_name_.contains(wanted)) return wanted;
  for (size_t i = 1;; ++i) {
    std::string name = (wanted.empty() ? "value" : wanted) + "_" + std::to_string(i);
    if (!by_name_.contains(name)) return name;
  }
}

Value* Graph::add_value(const std::string& name) {
  auto value = std::make_unique<Value>();
  value->name_ = unique_name(name);
  Value* result = value.get();
  by_name_[result->name_] = result;
  result->position_ = values_.insert(values_.end(), std::move(value));
  return result;
}

namespace {

void store_in_node(const Tensor& tensor, onnx::NodeProto* constant) {
  constant->clear_attribute();
  auto* attribute = constant->add_attribute();
  attribute->set_name("value");
  attribute->set_type(onnx::AttributeProto::TENSOR);
  *attribute->mutable_t() = tensor_to_proto(tensor, "");
}

}  // namespace

void Graph::set_constant(Value* value, Tensor tensor) {
  if (value->producer_ != nullptr) store_in_node(tensor, &value->producer_->proto_);
  value->remarks_ = nullptr;
  hold_constant(value, std::move(tensor));
}

void Graph::hold_constant(Value* value, Tensor tensor) {
  value->type = tensor.type();
  Shape shape;
  for (const int64_t dim : tensor.dims()) shape.push_back({dim, ""});
  value->shape = std::move(shape);
  value->constant_ = std::move(tensor);
}

Value* Graph::add_initializer(const std::string& name, Tensor tensor) {
  Value* value = add_value(name);
  set_constant(value, std::move(tensor));
  return value;
}

Node* Graph::add_node(const std::string& op_type, const std::string& domain,
                      const std::string& name, const std::vector<Value*>& inputs,
                      const std::vector<std::string>& output_names, const Node* before) {
  auto node = std::make_unique<Node>();
  Node* result = node.get();
  result->proto_.set_op_type(op_type);
  if (!domain.empty()) result->proto_.set_domain(domain);
  if (!name.empty()) result->proto_.set_name(name);
  result->name_ = name;
  result->position_ =
      nodes_.insert(before == nullptr ? nodes_.end() : before->position_, std::move(node));
  for (size_t i = 0; i < inputs.size(); ++i) set_input(result, i, inputs[i]);
  for (const std::string& output : output_names) {
    Value* value = add_value(output);
    value->producer_ = result;
    result->outputs_.push_back(value);
  }
  return result;
}

void Graph::drop_value(Value* value) {
  by_name_.erase(value->name_);
  values_.erase(value->position_);
}

void Graph::remove_node(Node* node) {
  for (const Value* output : node->outputs_) {
    if (output != nullptr &&
        (!output->uses_.empty() || output->graph_output_ || output->captured_)) {
      throw_error(Category::kInternal, node->place(), "a node in use cannot be removed",
                  "a removal", "report this bug");
    }
  }
  for (size_t i = 0; i < node->inputs_.size(); ++i) set_input(node, i, nullptr);
  const std::vector<Value*> outputs = node->outputs_;
  nodes_.erase(node->position_);
  for (Value* output : outputs) {
    if (output != nullptr) drop_value(output);
  }
}

void Graph::drop_output(Node* node, size_t index) {
  Value* output = node->output(index);
  if (output == nullptr) return;
  if (!output->uses_.empty() || output->graph_output_ || output->captured_) {
    throw_error(Category::kInternal, node->place(), "an output in use cannot be dropped",
                "a removal", "report this bug");
  }
  drop_value(output);
  node->outputs_[index] = nullptr;
  while (!node->outputs_.empty() && node->outputs_.back() == nullptr) node->outputs_.pop_back();
}

size_t Graph::remove_dead() {
  const auto is_live = [](const Value* value) {
    return value != nullptr && (!value->uses_.empty() || value->graph_output_ || value->captured_);
  };
  size_t removed = 0;
  for (auto it = nodes_.end(); it != nodes_.begin();) {
    Node* node = std::prev(it)->get();
    if (std::any_of(node->outputs_.begin(), node->outputs_.end(), is_live)) {
      --it;
      continue;
    }
    remove_node(node);
    ++removed;
  }
  removed += std::erase_if(values_, [&](const auto& value) {
    if (!value->is_initializer() || value->graph_input_ || is_live(value.get())) return false;
    by_name_.erase(value->name_);
    return true;
  });
  return removed;
}

void Graph::rename(Value* value, const std::string& name) {
  if (value->name_ == name) return;
  if (value->captured_ || by_name_.contains(name)) {
    throw_error(Category::kInternal, "value '" + value->name_ + "'",
                "the new name must be free and the value not captured", name,
                "report this bug with the model");
  }
  by_name_.erase(value->name_);
  value->name_ = name;
  by_name_[name] = value;
}

}  // namespace limbeck
