// Model files are hostile until parsed: each failure is a categorised error that names its place.
#include <catch2/catch_test_macros.hpp>
#include <filesystem>

#include "lib/base/file.h"
#include "lib/model/model.h"
#include "tests/model/expect_error.h"
#include "tests/model/rich_model.h"
#include "tests/support/paths.h"

using namespace limbeck;
using test::check_error;
using test::error_of;
using test::ModelBuilder;

namespace {

/// y = Add(x, w), w of two floats; each test breaks one thing.
ModelBuilder small_model() {
  ModelBuilder builder(13);
  builder.input("x", {2}).output("y").weight("w", test::floats({1, 2}));
  builder.node("Add", {"x", "w"}, {"y"});
  return builder;
}

ErrorInfo error_of_model(const ModelBuilder& builder) {
  return error_of([&] { builder.build(); });
}

ErrorInfo error_of_bytes(const std::string& bytes) {
  return error_of([&] { parse_model(bytes, "."); });
}

/// The error of small_model with a broken weight.
template <typename Break>
ErrorInfo error_of_weight(Break&& break_it) {
  ModelBuilder builder = small_model();
  break_it(*builder.proto().mutable_graph()->mutable_initializer(0));
  return error_of_model(builder);
}

void set_dims(onnx::TensorProto& tensor, const Dims& dims) {
  tensor.clear_dims();
  for (const int64_t dim : dims) tensor.add_dims(dim);
}

onnx::GraphProto nested_graph(int depth) {
  onnx::GraphProto graph;
  if (depth == 0) return graph;
  auto* node = graph.add_node();
  node->set_op_type("If");
  auto* attribute = node->add_attribute();
  attribute->set_name("then_branch");
  attribute->set_type(onnx::AttributeProto::GRAPH);
  *attribute->mutable_g() = nested_graph(depth - 1);
  return graph;
}

const char* const kBounds = "dimensions must be non-negative with a product of at most 2^56";

}  // namespace

TEST_CASE("an empty file is no model", "[model]") {
  check_error(error_of_bytes(""), Category::kInvalidModel, "model", "the file must hold a graph",
              "none");
}

TEST_CASE("a file that is no protobuf is no model", "[model]") {
  check_error(error_of_bytes("This is not a model at all."), Category::kInvalidModel, "model",
              "the file must be an ONNX protobuf below 2 GiB", "27 bytes that do not parse");
}

TEST_CASE("a model without graph is an error", "[model]") {
  ModelBuilder builder = small_model();
  builder.proto().clear_graph();
  check_error(error_of_model(builder), Category::kInvalidModel, "model",
              "the file must hold a graph", "none");
}

TEST_CASE("errors of a file begin with its path", "[model]") {
  const test::TemporaryFolder folder;
  write_file_atomically(folder / "m.onnx", "");
  const ErrorInfo info = error_of([&] { load_model(folder / "m.onnx"); });
  CHECK(info.place == (folder / "m.onnx").string() + ": model");
}

TEST_CASE("a missing file and a folder are input errors", "[model]") {
  const test::TemporaryFolder folder;
  check_error(error_of([&] { load_model(folder / "none.onnx"); }), Category::kIo,
              (folder / "none.onnx").string(), "the file must be readable",
              "No such file or directory");
  check_error(error_of([&] { load_model(folder.path()); }), Category::kIo, folder.path().string(),
              "a regular file is needed", "a folder or a device");
}

TEST_CASE("a file cut anywhere is an error of the model", "[model]") {
  const std::string bytes = read_file(test::fixture("fashion_mnist_cnn.onnx"));
  for (size_t i = 0; i < 100; ++i) {
    const size_t length = i < 50 ? bytes.size() - 1 - i * 7 : bytes.size() * (i - 50) / 50;
    INFO(length);
    CHECK(error_of_bytes(bytes.substr(0, length)).category == Category::kInvalidModel);
  }
}

TEST_CASE("the IR version must be stated, a newer one than ours is handed through", "[model]") {
  ModelBuilder builder = small_model();
  for (const int64_t version : {int64_t{0}, int64_t{-4}}) {
    builder.proto().set_ir_version(version);
    check_error(error_of_model(builder), Category::kInvalidModel, "model",
                "the model must state its IR version", std::to_string(version));
  }
  builder.proto().set_ir_version(99);
  CHECK(builder.build().envelope.ir_version() == 99);
}

TEST_CASE("opsets below 7 are not supported", "[model]") {
  for (const int64_t opset : {int64_t{6}, int64_t{0}, int64_t{-1}}) {
    ModelBuilder builder = small_model();
    builder.proto().mutable_opset_import(0)->set_version(opset);
    check_error(error_of_model(builder), Category::kUnsupported, "node 'n0' (Add)",
                "opset 7 or later of the default domain is needed",
                "opset " + std::to_string(opset));
  }
  ModelBuilder builder = small_model();
  builder.proto().clear_opset_import();
  CHECK(error_of_model(builder).received == "opset 0");
}

TEST_CASE("a model of other domains need not import the default one", "[model]") {
  ModelBuilder builder = small_model();
  builder.proto().mutable_opset_import(0)->set_domain("com.example");
  builder.proto().mutable_graph()->mutable_node(0)->set_domain("com.example");
  CHECK(builder.build().opset("com.example") == 13);
  CHECK(builder.build().opset() == 0);
}

TEST_CASE("dimensions whose product overflows are an error naming the tensor", "[model]") {
  const int64_t huge = int64_t{1} << 40;
  check_error(error_of_weight([&](auto& t) {
                set_dims(t, {huge, huge});
              }),
              Category::kInvalidModel, "tensor 'w'", kBounds, "1099511627776x1099511627776");
}

TEST_CASE("a product that wraps to zero bytes is not an empty tensor", "[model]") {
  // 2^62 floats are 2^64 bytes, which is zero in 64 bits; 2^61 of 4 bits wrap when counted in bits.
  for (const DataType type : {DataType::kFloat, DataType::kInt4, DataType::kDouble}) {
    const ErrorInfo info = error_of_weight([&](auto& t) {
      t.set_data_type(static_cast<int32_t>(type));
      set_dims(t, {int64_t{1} << 31, int64_t{1} << 31});
      t.set_raw_data("");
    });
    check_error(info, Category::kInvalidModel, "tensor 'w'", kBounds, "2147483648x2147483648");
  }
}

TEST_CASE("a negative dimension of a weight is an error", "[model]") {
  check_error(error_of_weight([](auto& t) { set_dims(t, {-2}); }), Category::kInvalidModel,
              "tensor 'w'", kBounds, "-2");
}

TEST_CASE("a weight of very many dimensions is an error", "[model]") {
  check_error(error_of_weight([](auto& t) { set_dims(t, Dims(100000, 1)); }),
              Category::kInvalidModel, "tensor 'w'", "a tensor must have at most 64 dimensions",
              "100000");
}

TEST_CASE("a weight whose bytes do not fit its dimensions is an error", "[model]") {
  for (const size_t size : {size_t{7}, size_t{9}, size_t{0}}) {
    const ErrorInfo info =
        error_of_weight([&](auto& t) { t.set_raw_data(std::string(size, '\0')); });
    check_error(info, Category::kInvalidModel, "tensor 'w'",
                "the stored size must equal that of float 2, 8 bytes",
                std::to_string(size) + " bytes");
  }
}

TEST_CASE("a weight with too few values is an error before memory is taken", "[model]") {
  const ErrorInfo info = error_of_weight([](auto& t) {
    t.clear_raw_data();
    t.add_float_data(1);
    set_dims(t, {int64_t{1} << 50});
  });
  check_error(info, Category::kInvalidModel, "tensor 'w'",
              "the number of stored values must match the dimensions 1125899906842624", "1 values");
}

TEST_CASE("packed values that do not fill their tensor are an error", "[model]") {
  const ErrorInfo info = error_of_weight([](auto& t) {
    t.clear_raw_data();
    t.set_data_type(static_cast<int32_t>(DataType::kInt4));
    set_dims(t, {5});
    t.add_int32_data(1);
  });
  check_error(info, Category::kInvalidModel, "tensor 'w'", "packed values must fill 3 entries",
              "1");
}

TEST_CASE("a weight without element type is an error", "[model]") {
  for (const int type : {0, -3}) {
    check_error(error_of_weight([&](auto& t) { t.set_data_type(type); }), Category::kInvalidModel,
                "tensor 'w'", "an initializer must have an element type", std::to_string(type));
  }
}

TEST_CASE("declared shapes are checked like those of weights", "[model]") {
  ModelBuilder negative = small_model();
  auto* shape = negative.proto()
                    .mutable_graph()
                    ->mutable_input(0)
                    ->mutable_type()
                    ->mutable_tensor_type()
                    ->mutable_shape();
  shape->mutable_dim(0)->set_dim_value(-7);
  check_error(error_of_model(negative), Category::kInvalidModel, "tensor 'x'",
              "a dimension must not be negative", "-7");
  shape->mutable_dim(0)->set_dim_value(int64_t{1} << 62);
  check_error(error_of_model(negative), Category::kInvalidModel, "tensor 'x'", kBounds,
              "4611686018427387904");
}

TEST_CASE("a sparse weight is checked like a dense one", "[model]") {
  ModelBuilder builder = small_model();
  test::add_sparse(builder.proto().mutable_graph());
  builder.proto().mutable_graph()->mutable_sparse_initializer(0)->set_dims(0, -4);
  check_error(error_of_model(builder), Category::kInvalidModel, "tensor 'sparse'", kBounds, "-4");
}

TEST_CASE("two tensors of one name are an error", "[model]") {
  ModelBuilder weights = small_model();
  weights.weight("w", test::floats({1, 2}));
  check_error(error_of_model(weights), Category::kInvalidModel, "tensor 'w'",
              "a tensor must be defined once", "a second initializer");
  ModelBuilder outputs = small_model();
  outputs.node("Relu", {"x"}, {"y"});
  check_error(error_of_model(outputs), Category::kInvalidModel, "node 'n1' (Relu)",
              "a tensor must be defined once", "'y' a second time");
  ModelBuilder weight_and_output = small_model();
  weight_and_output.node("Relu", {"x"}, {"w"});
  check_error(error_of_model(weight_and_output), Category::kInvalidModel, "node 'n1' (Relu)",
              "a tensor must be defined once", "'w' a second time");
  ModelBuilder inputs = small_model();
  inputs.input("x", {2});
  check_error(error_of_model(inputs), Category::kInvalidModel, "graph input",
              "a tensor must be defined once", "'x' a second time");
}

TEST_CASE("a tensor without name is an error", "[model]") {
  check_error(error_of_weight([](auto& t) { t.clear_name(); }), Category::kInvalidModel,
              "initializer", "a tensor must have a name", "an empty name");
}

TEST_CASE("a node that reads what nothing defines is an error", "[model]") {
  ModelBuilder builder = small_model();
  builder.node("Relu", {"ghost"}, {"r"});
  check_error(error_of_model(builder), Category::kInvalidModel, "node 'n1' (Relu)",
              "every input must be a graph input, an initializer or a node's output", "'ghost'");
}

TEST_CASE("a graph output that nothing computes is an error", "[model]") {
  ModelBuilder builder = small_model();
  builder.output("ghost");
  check_error(error_of_model(builder), Category::kInvalidModel, "graph output",
              "every output must be computed by the graph", "'ghost'");
}

TEST_CASE("a node without operator is an error", "[model]") {
  ModelBuilder builder = small_model();
  builder.proto().mutable_graph()->mutable_node(0)->clear_op_type();
  check_error(error_of_model(builder), Category::kInvalidModel, "node 'n0'",
              "a node must name its operator", "none");
}

TEST_CASE("a cycle is an error naming a node that lies on it", "[model]") {
  ModelBuilder builder(13);
  builder.input("x", {2}).output("y");
  builder.node("Relu", {"b"}, {"y"});  // behind the cycle, and first in the file
  builder.node("Add", {"x", "b"}, {"a"});
  builder.node("Sigmoid", {"a"}, {"b"});
  const ErrorInfo info = error_of_model(builder);
  CHECK(info.category == Category::kInvalidModel);
  CHECK((info.place == "node 'n1' (Add)" || info.place == "node 'n2' (Sigmoid)"));
  CHECK(info.rule == "the graph must have no cycle");
  CHECK(info.received == "a node that depends on its own output");
}

TEST_CASE("a node that reads its own output is a cycle", "[model]") {
  ModelBuilder builder(13);
  builder.input("x", {2}).output("y");
  builder.node("Add", {"x", "y"}, {"y"});
  CHECK(error_of_model(builder).place == "node 'n0' (Add)");
}

TEST_CASE("a cycle through a subgraph is a cycle", "[model]") {
  ModelBuilder builder(13);
  builder.input("c", {}, DataType::kBool).output("x");
  builder.node("If", {"c"}, {"r"})
      .with("then_branch", test::branch("Identity", "a"))
      .with("else_branch", test::branch("Identity", "b"));
  builder.node("Relu", {"r"}, {"x"});
  CHECK(error_of_model(builder).rule == "the graph must have no cycle");
}

TEST_CASE("a subgraph that reads what nothing defines is an error", "[model]") {
  ModelBuilder builder(13);
  builder.input("c", {}, DataType::kBool).output("y");
  builder.node("If", {"c"}, {"y"}).with("then_branch", test::branch("Identity", "a"));
  check_error(error_of_model(builder), Category::kInvalidModel, "node 'n0' (If)",
              "a subgraph must read what it or a graph around it defines", "'x'");
}

TEST_CASE("a subgraph that defines a tensor twice is an error", "[model]") {
  ModelBuilder builder(13);
  builder.input("c", {}, DataType::kBool).input("x", {1}).output("y");
  onnx::GraphProto twice = test::branch("Identity", "a");
  *twice.add_node() = twice.node(0);
  builder.node("If", {"c"}, {"y"}).with("then_branch", twice);
  check_error(error_of_model(builder), Category::kInvalidModel,
              "node 'n0' (If), inner node 'inner_Identity' (Identity)",
              "a tensor must be defined once", "'a' a second time");
}

TEST_CASE("subgraphs nested beyond the limit of protobuf are an error, not a stack overflow",
          "[model]") {
  ModelBuilder builder(13);
  *builder.proto().mutable_graph() = nested_graph(20);
  CHECK(builder.build().graph.nodes().size() == 1);
  *builder.proto().mutable_graph() = nested_graph(200);
  CHECK(error_of_model(builder).rule == "the file must be an ONNX protobuf below 2 GiB");
}

TEST_CASE("a hundred thousand nodes of one name load in linear time", "[model]") {
  ModelBuilder builder(13);
  builder.input("x", {1}).output("v99999");
  for (int i = 0; i < 100000; ++i) {
    builder.node("Relu", {i == 0 ? "x" : "v" + std::to_string(i - 1)}, {"v" + std::to_string(i)});
    builder.proto().mutable_graph()->mutable_node(i)->set_name("same");
  }
  Model model = builder.build();
  CHECK(model.graph.nodes().back()->name() == "same_99999");
  model.graph.replace_all_uses(model.graph.find("v99998"), model.graph.find("x"));
  CHECK(model.graph.remove_dead() == 99999);
}

TEST_CASE("a hundred thousand readers of one value are moved in linear time", "[model]") {
  ModelBuilder builder(13);
  builder.input("x", {1}).input("other", {1}).output("v0");
  for (int i = 0; i < 100000; ++i) builder.node("Relu", {"x"}, {"v" + std::to_string(i)});
  Model model = builder.build();
  model.graph.replace_all_uses(model.graph.find("x"), model.graph.find("other"));
  CHECK(model.graph.find("other")->uses().size() == 100000);
  CHECK(model.graph.remove_dead() == 99999);
}
