#include <catch2/catch_test_macros.hpp>
#include <filesystem>

#include "lib/base/file.h"
#include "lib/model/model.h"
#include "tests/model/expect_error.h"
#include "tests/model/rich_model.h"
#include "tests/support/paths.h"

using namespace limbeck;
using test::ModelBuilder;

namespace {

const std::filesystem::path kModel = test::fixture("fashion_mnist_cnn.onnx");

/// What is in the file that save_model writes.
onnx::ModelProto saved(const Model& model) {
  const test::TemporaryFolder folder;
  save_model(model, folder / "m.onnx");
  onnx::ModelProto proto;
  REQUIRE(proto.ParseFromString(read_file(folder / "m.onnx")));
  return proto;
}

onnx::ModelProto round_trip(const onnx::ModelProto& proto) {
  return saved(parse_model(proto.SerializeAsString(), "."));
}

/// y = Add(x, w) with w stored as `tensor`.
onnx::ModelProto model_with_weight(const onnx::TensorProto& tensor) {
  ModelBuilder builder(13);
  builder.input("x", {2}).output("y");
  builder.node("Add", {"x", tensor.name()}, {"y"});
  *builder.proto().mutable_graph()->add_initializer() = tensor;
  return builder.proto();
}

}  // namespace

TEST_CASE("a saved model loads again with the same graph and weights", "[model]") {
  const test::TemporaryFolder folder;
  const Model model = load_model(kModel);
  save_model(model, folder / "again.onnx");
  const Model again = load_model(folder / "again.onnx");
  CHECK(again.graph.dump_details() == model.graph.dump_details());
  for (const Value* value : model.graph.values()) {
    if (value->constant() == nullptr) continue;
    const Value* other = again.graph.find(value->name());
    REQUIRE(other != nullptr);
    CHECK(other->constant()->to_float() == value->constant()->to_float());
  }
}

TEST_CASE("saving twice gives the same bytes", "[model]") {
  const test::TemporaryFolder folder;
  const Model model = parse_model(test::rich_model().SerializeAsString(), ".");
  save_model(model, folder / "a.onnx");
  save_model(model, folder / "b.onnx");
  CHECK(read_file(folder / "a.onnx") == read_file(folder / "b.onnx"));
}

TEST_CASE("a copy is independent of the original graph", "[model]") {
  const Model model = load_model(kModel);
  Model copy = copy_model(model);
  CHECK(copy.graph.dump_details() == model.graph.dump_details());
  copy.graph.add_initializer("extra", Tensor::scalar<float>(1));
  CHECK(model.graph.find("extra") == nullptr);
}

TEST_CASE("a copy shares the bytes of the weights", "[model]") {
  const Model model = load_model(kModel);
  const Model copy = copy_model(model);
  for (const Value* value : model.graph.values()) {
    if (value->is_initializer())
      CHECK(copy.graph.find(value->name())->constant()->raw() == value->constant()->raw());
  }
}

TEST_CASE("everything that a rewrite does not touch is written back byte for byte", "[model]") {
  const onnx::ModelProto before = test::rich_model();
  const onnx::ModelProto after = round_trip(before);
  CHECK(after.DebugString() == before.DebugString());
  CHECK(after.SerializeAsString() == before.SerializeAsString());
  CHECK(saved(copy_model(parse_model(before.SerializeAsString(), "."))).SerializeAsString() ==
        before.SerializeAsString());
}

TEST_CASE("unknown fields next to a rewritten node survive", "[model]") {
  Model model = parse_model(test::rich_model().SerializeAsString(), ".");
  Value* z = model.graph.find("z");
  Node* relu = model.graph.add_node("Relu", "", "relu", {z}, {"z_relu"}, nullptr);
  model.graph.replace_all_uses(z, relu->output(0));
  model.graph.set_input(relu, 0, z);
  const onnx::ModelProto after = saved(model);
  CHECK(after.graph().node_size() == 6);
  CHECK(after.graph().node(5).name() == "relu");
  CHECK(after.graph().node(5).output(0) == "z");
  const onnx::ModelProto before = test::rich_model();
  for (int i = 0; i < 4; ++i)
    CHECK(after.graph().node(i).SerializeAsString() == before.graph().node(i).SerializeAsString());
}

TEST_CASE("names of nodes are written as they were, missing and repeated ones too", "[model]") {
  ModelBuilder builder(13);
  builder.input("x", {2}).output("y");
  builder.node("Relu", {"x"}, {"a"});
  builder.node("Relu", {"a"}, {"b"});
  builder.node("Relu", {"b"}, {"y"});
  auto* graph = builder.proto().mutable_graph();
  graph->mutable_node(0)->set_name("same");
  graph->mutable_node(1)->set_name("same");
  graph->mutable_node(2)->clear_name();
  const Model model = builder.build();
  std::vector<std::string> names;
  for (const auto& node : model.graph.nodes()) names.push_back(node->name());
  CHECK(names == std::vector<std::string>{"same", "same_1", "Relu:y"});
  CHECK(saved(model).SerializeAsString() == builder.bytes());
}

TEST_CASE("weights in Constant nodes are constants of the graph", "[model]") {
  ModelBuilder builder(13);
  builder.input("x", {2}).output("y");
  builder.node("Constant", {}, {"tensor"}).with("value", test::floats({1, 2}));
  builder.node("Constant", {}, {"number"}).with("value_float", 2.5F);
  builder.node("Constant", {}, {"whole"}).with("value_int", 3);
  builder.node("Constant", {}, {"floats"}).with("value_floats", std::vector<float>{4, 5});
  builder.node("Constant", {}, {"ints"}).with("value_ints", std::vector<int64_t>{6, 7});
  builder.node("Add", {"x", "tensor"}, {"y"});
  const Model model = builder.build();
  const auto constant = [&](const char* name) { return model.graph.find(name)->constant(); };
  REQUIRE(constant("tensor") != nullptr);
  CHECK_FALSE(model.graph.find("tensor")->is_initializer());
  CHECK(constant("tensor")->to_float() == std::vector<float>{1, 2});
  CHECK(constant("number")->dims().empty());
  CHECK(constant("number")->to_float() == std::vector<float>{2.5F});
  CHECK(constant("whole")->to_int64() == std::vector<int64_t>{3});
  CHECK(constant("floats")->to_float() == std::vector<float>{4, 5});
  CHECK(constant("ints")->to_int64() == std::vector<int64_t>{6, 7});
  CHECK(saved(model).SerializeAsString() == builder.bytes());
}

TEST_CASE("new bytes for a Constant node are the ones that are saved", "[model]") {
  ModelBuilder builder(13);
  builder.input("x", {2}).output("y");
  builder.node("Constant", {}, {"k"}).with("value_floats", std::vector<float>{4, 5});
  builder.node("Add", {"x", "k"}, {"y"});
  Model model = builder.build();
  model.graph.set_constant(model.graph.find("k"), test::floats({8, 9}));
  const Model again = parse_model(saved(model).SerializeAsString(), ".");
  CHECK(again.graph.find("k")->constant()->to_float() == std::vector<float>{8, 9});
}

TEST_CASE("initializers that are listed as inputs are weights, and stay listed in order",
          "[model]") {
  ModelBuilder builder(8);
  builder.input("w", {2}).input("x", {2}).input("b", {2}).output("y");
  builder.weight("w", test::floats({1, 2})).weight("b", test::floats({3, 4}));
  builder.node("Mul", {"x", "w"}, {"m"});
  builder.node("Add", {"m", "b"}, {"y"});
  const Model model = builder.build();
  REQUIRE(model.graph.inputs().size() == 1);
  CHECK(model.graph.inputs()[0]->name() == "x");
  CHECK(model.graph.find("w")->is_initializer());
  CHECK_FALSE(model.graph.find("w")->is_graph_input());
  CHECK(saved(model).SerializeAsString() == builder.bytes());
}

TEST_CASE("string weights are handed through, also when listed as inputs", "[model]") {
  ModelBuilder builder(13);
  builder.input("x", {2}).input("words", {1}, DataType::kString).output("y");
  builder.node("Lookup", {"x", "words"}, {"y"}).in_domain("com.example");
  auto* words = builder.proto().mutable_graph()->add_initializer();
  words->set_name("words");
  words->set_data_type(static_cast<int32_t>(DataType::kString));
  words->add_dims(1);
  words->add_string_data("hello");
  const Model model = builder.build();
  CHECK(model.graph.inputs().size() == 1);
  CHECK(model.graph.find("words")->constant() == nullptr);
  CHECK(saved(model).SerializeAsString() == builder.bytes());
}

TEST_CASE("element types newer than libonnx survive by number", "[model]") {
  for (int number = 17; number <= 28; ++number) {
    INFO(number);
    const auto type = static_cast<DataType>(number);
    onnx::TensorProto tensor;
    tensor.set_name("w");
    tensor.set_data_type(number);
    tensor.add_dims(5);
    tensor.set_raw_data(std::string(storage_bytes(type, 5), '\x35'));
    const onnx::ModelProto before = model_with_weight(tensor);
    const Model model = parse_model(before.SerializeAsString(), ".");
    REQUIRE(model.graph.find("w")->constant() != nullptr);
    CHECK(model.graph.find("w")->type == type);
    CHECK(saved(model).SerializeAsString() == before.SerializeAsString());
  }
}

TEST_CASE("element types of the future are handed through unread", "[model]") {
  onnx::TensorProto tensor;
  tensor.set_name("w");
  tensor.set_data_type(99);
  tensor.add_dims(5);
  tensor.set_raw_data("what is this");
  const onnx::ModelProto before = model_with_weight(tensor);
  CHECK(round_trip(before).SerializeAsString() == before.SerializeAsString());
}

TEST_CASE("every typed field of a tensor is read", "[model]") {
  const auto read = [](DataType type, const auto& fill) {
    onnx::TensorProto proto;
    proto.set_data_type(static_cast<int32_t>(type));
    proto.add_dims(3);
    fill(proto);
    return tensor_from_proto(proto, ".", "tensor").to_float();
  };
  const std::vector<float> wanted{1, 2, 3};
  CHECK(read(DataType::kFloat, [](auto& p) {
          for (const float v : {1.0F, 2.0F, 3.0F}) p.add_float_data(v);
        }) == wanted);
  CHECK(read(DataType::kDouble, [](auto& p) {
          for (const double v : {1.0, 2.0, 3.0}) p.add_double_data(v);
        }) == wanted);
  CHECK(read(DataType::kInt64, [](auto& p) {
          for (const int v : {1, 2, 3}) p.add_int64_data(v);
        }) == wanted);
  for (const DataType type : {DataType::kUint32, DataType::kUint64}) {
    CHECK(read(type, [](auto& p) {
            for (const unsigned v : {1U, 2U, 3U}) p.add_uint64_data(v);
          }) == wanted);
  }
  for (const DataType type : {DataType::kInt8, DataType::kUint8, DataType::kInt16,
                              DataType::kUint16, DataType::kInt32, DataType::kBool}) {
    CHECK(read(type, [](auto& p) {
            for (const int v : {1, 2, 3}) p.add_int32_data(v);
          }) == wanted);
  }
  // 1.0, 2.0 and 3.0 as half precision; 0x21 and 0x03 as pairs of nibbles, the low one first.
  CHECK(read(DataType::kFloat16, [](auto& p) {
          for (const int v : {0x3C00, 0x4000, 0x4200}) p.add_int32_data(v);
        }) == wanted);
  CHECK(read(DataType::kInt4, [](auto& p) {
          for (const int v : {0x21, 0x03}) p.add_int32_data(v);
        }) == wanted);
}

TEST_CASE("complex weights, two numbers an element, are read and kept", "[model]") {
  onnx::TensorProto proto;
  proto.set_name("w");
  proto.set_data_type(static_cast<int32_t>(DataType::kComplex64));
  proto.add_dims(2);
  for (const float v : {1.0F, 2.0F, 3.0F, 4.0F}) proto.add_float_data(v);
  const onnx::ModelProto after = round_trip(model_with_weight(proto));
  CHECK(after.graph().initializer(0).raw_data().size() == 16);
  CHECK(after.graph().initializer(0).data_type() == proto.data_type());
}

TEST_CASE("an empty raw_data beside a typed field does not hide it", "[model]") {
  onnx::TensorProto proto;
  proto.set_data_type(static_cast<int32_t>(DataType::kFloat));
  proto.add_dims(1);
  proto.set_raw_data("");
  proto.add_float_data(4);
  CHECK(tensor_from_proto(proto, ".", "tensor").to_float() == std::vector<float>{4});
}

TEST_CASE("declared types of values that are no tensors are kept", "[model]") {
  ModelBuilder builder(13);
  builder.input("x", {2}).output("y");
  builder.node("SequenceConstruct", {"x"}, {"s"});
  builder.node("SequenceAt", {"s", "i"}, {"y"});
  builder.weight("i", Tensor::scalar<int64_t>(0));
  auto* info = builder.proto().mutable_graph()->add_value_info();
  info->set_name("s");
  auto* element = info->mutable_type()->mutable_sequence_type()->mutable_elem_type();
  element->mutable_tensor_type()->set_elem_type(1);
  CHECK(round_trip(builder.proto()).SerializeAsString() == builder.bytes());
}

TEST_CASE("symbolic dimensions and their denotations stay as declared", "[model]") {
  ModelBuilder builder(13);
  builder.input("x", {-1, 3}).output("y");
  builder.node("Relu", {"x"}, {"r"});
  builder.node("Relu", {"r"}, {"y"});
  auto* info = builder.proto().mutable_graph()->add_value_info();
  *info = builder.proto().graph().input(0);
  info->set_name("r");
  info->mutable_type()->mutable_tensor_type()->mutable_shape()->mutable_dim(0)->set_denotation(
      "DATA_BATCH");
  const Model model = builder.build();
  CHECK(shape_text(*model.graph.find("r")->shape) == "[N,3]");
  CHECK(saved(model).SerializeAsString() == builder.bytes());
}
