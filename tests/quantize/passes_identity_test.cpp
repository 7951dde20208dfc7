#include <catch2/catch_test_macros.hpp>

#include "lib/quantize/passes/passes.h"
#include "tests/support/model_builder.h"

using namespace limbeck;
using namespace limbeck::test;

TEST_CASE("Identity, inference Dropout and casts to the same type are taken out", "[passes]") {
  ModelBuilder b(13);
  b.input("x", {2});
  b.node("Relu", {"x"}, {"a"});
  b.node("Identity", {"a"}, {"b"});
  b.node("Dropout", {"b"}, {"c", "mask"});
  b.node("Relu", {"c"}, {"d"});
  b.node("Cast", {"x"}, {"e"}).with("to", 1);
  b.node("Add", {"d", "e"}, {"y"});
  Model model = b.output("y").build();
  CHECK(remove_identity(model.graph, 13) == 3);
  CHECK(model.graph.dump() == "a = Relu(x)\nd = Relu(a)\ny = Add(d, x)\nreturn y\n");
}

TEST_CASE("an Identity in front of a graph output gives its name to the producer", "[passes]") {
  ModelBuilder b(13);
  b.input("x", {2});
  b.node("Relu", {"x"}, {"a"});
  b.node("Identity", {"a"}, {"y"});
  Model model = b.output("y").build();
  CHECK(remove_identity(model.graph, 13) == 1);
  CHECK(model.graph.dump() == "y = Relu(x)\nreturn y\n");
}

TEST_CASE("an Identity between two interface tensors stays", "[passes]") {
  ModelBuilder b(13);
  b.input("x", {2});
  b.node("Identity", {"x"}, {"y"});
  b.node("Relu", {"x"}, {"z"});
  b.node("Identity", {"z"}, {"t"});
  Model model = b.output("y").output("z").output("t").build();
  CHECK(remove_identity(model.graph, 13) == 0);
}

TEST_CASE("Dropout that trains, or whose mask is read, stays", "[passes]") {
  ModelBuilder b(13);
  b.input("x", {2})
      .weight("ratio", Tensor::scalar<float>(0.5F))
      .weight("yes", Tensor::from<bool>({}, {true}));
  b.node("Dropout", {"x", "ratio", "yes"}, {"a"});
  b.node("Dropout", {"a"}, {"b", "mask"});
  b.node("Relu", {"b"}, {"y"});
  Model model = b.output("y").output("mask", DataType::kBool).build();
  CHECK(remove_identity(model.graph, 13) == 0);
}

TEST_CASE("optional outputs that nobody reads are dropped", "[passes]") {
  ModelBuilder b(13);
  b.input("x", {1, 1, 4, 4});
  b.node("MaxPool", {"x"}, {"y", "indices"}).with("kernel_shape", std::vector<int64_t>{2, 2});
  Model model = b.output("y").build();
  CHECK(drop_unused_outputs(model.graph, 13) == 1);
  CHECK(model.graph.dump() == "y = MaxPool(x)\nreturn y\n");
  CHECK(model.graph.find("indices") == nullptr);
}

TEST_CASE("an optional output that is read stays", "[passes]") {
  ModelBuilder b(13);
  b.input("x", {1, 1, 4, 4});
  b.node("MaxPool", {"x"}, {"y", "indices"}).with("kernel_shape", std::vector<int64_t>{2, 2});
  Model model = b.output("y").output("indices", DataType::kInt64).build();
  CHECK(drop_unused_outputs(model.graph, 13) == 0);
}
