#include "tests/support/model_builder.h"

#include <random>

namespace limbeck::test {

onnx::AttributeProto* NodeBuilder::add(const std::string& name,
                                       onnx::AttributeProto::AttributeType type) {
  auto* attribute = proto_->add_attribute();
  attribute->set_name(name);
  attribute->set_type(type);
  return attribute;
}

NodeBuilder& NodeBuilder::with(const std::string& name, int64_t value) {
  add(name, onnx::AttributeProto::INT)->set_i(value);
  return *this;
}

NodeBuilder& NodeBuilder::with(const std::string& name, float value) {
  add(name, onnx::AttributeProto::FLOAT)->set_f(value);
  return *this;
}

NodeBuilder& NodeBuilder::with(const std::string& name, const std::string& value) {
  add(name, onnx::AttributeProto::STRING)->set_s(value);
  return *this;
}

NodeBuilder& NodeBuilder::with(const std::string& name, const std::vector<int64_t>& value) {
  auto* attribute = add(name, onnx::AttributeProto::INTS);
  for (const int64_t number : value) attribute->add_ints(number);
  return *this;
}

NodeBuilder& NodeBuilder::with(const std::string& name, const std::vector<float>& value) {
  auto* attribute = add(name, onnx::AttributeProto::FLOATS);
  for (const float number : value) attribute->add_floats(number);
  return *this;
}

NodeBuilder& NodeBuilder::with(const std::string& name, const Tensor& value) {
  *add(name, onnx::AttributeProto::TENSOR)->mutable_t() = tensor_to_proto(value, "");
  return *this;
}

NodeBuilder& NodeBuilder::with(const std::string& name, const onnx::GraphProto& value) {
  *add(name, onnx::AttributeProto::GRAPH)->mutable_g() = value;
  return *this;
}

NodeBuilder& NodeBuilder::in_domain(const std::string& domain) {
  proto_->set_domain(domain);
  return *this;
}

ModelBuilder::ModelBuilder(int64_t opset) {
  proto_.set_ir_version(opset < 9 ? 3 : 7);
  auto* import = proto_.add_opset_import();
  import->set_domain("");
  import->set_version(opset);
  proto_.mutable_graph()->set_name("test");
}

ModelBuilder& ModelBuilder::input(const std::string& name, const Dims& dims, DataType type) {
  auto* info = proto_.mutable_graph()->add_input();
  info->set_name(name);
  auto* tensor = info->mutable_type()->mutable_tensor_type();
  tensor->set_elem_type(static_cast<int32_t>(type));
  auto* shape = tensor->mutable_shape();
  for (const int64_t dim : dims) {
    auto* target = shape->add_dim();
    if (dim >= 0) target->set_dim_value(dim);
    if (dim < 0) target->set_dim_param("N");
  }
  return *this;
}

ModelBuilder& ModelBuilder::output(const std::string& name, DataType type) {
  auto* info = proto_.mutable_graph()->add_output();
  info->set_name(name);
  info->mutable_type()->mutable_tensor_type()->set_elem_type(static_cast<int32_t>(type));
  return *this;
}

ModelBuilder& ModelBuilder::weight(const std::string& name, const Tensor& tensor) {
  *proto_.mutable_graph()->add_initializer() = tensor_to_proto(tensor, name);
  return *this;
}

NodeBuilder ModelBuilder::node(const std::string& op_type, const std::vector<std::string>& inputs,
                               const std::vector<std::string>& outputs) {
  auto* proto = proto_.mutable_graph()->add_node();
  proto->set_name("n" + std::to_string(proto_.graph().node_size() - 1));
  proto->set_op_type(op_type);
  for (const std::string& input : inputs) proto->add_input(input);
  for (const std::string& output : outputs) proto->add_output(output);
  return NodeBuilder(proto);
}

Model ModelBuilder::build() const { return parse_model(bytes(), "."); }

namespace {

Tensor uniform(const Dims& dims, unsigned seed, float low) {
  std::mt19937 generator(seed);
  Tensor tensor = Tensor::allocate(DataType::kFloat, dims);
  for (float& value : tensor.mutable_as<float>())
    value = low + static_cast<float>(generator() >> 8U) / 8388608.0F * 0.5F;
  return tensor;
}

}  // namespace

Tensor noise(const Dims& dims, unsigned seed) {
  Tensor tensor = uniform(dims, seed, 0.0F);
  for (float& value : tensor.mutable_as<float>()) value = 2.0F * value - 1.0F;
  return tensor;
}

Tensor positive_noise(const Dims& dims, unsigned seed) { return uniform(dims, seed, 0.5F); }

Tensor floats(const std::vector<float>& values) {
  return Tensor::from<float>({static_cast<int64_t>(values.size())}, values);
}

Tensor ints(const std::vector<int64_t>& values) {
  return Tensor::from<int64_t>({static_cast<int64_t>(values.size())}, values);
}

}  // namespace limbeck::test
