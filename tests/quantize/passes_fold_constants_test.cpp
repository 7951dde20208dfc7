#include <catch2/catch_test_macros.hpp>

#include "lib/quantize/passes/passes.h"
#include "tests/support/model_builder.h"

using namespace limbeck;
using namespace limbeck::test;

TEST_CASE("a Constant node becomes an initializer of the same name", "[passes]") {
  ModelBuilder b(13);
  b.input("x", {2});
  b.node("Constant", {}, {"c"}).with("value", floats({1, 2}));
  b.node("Constant", {}, {"d"}).with("value_floats", std::vector<float>{3, 4});
  b.node("Add", {"x", "c"}, {"s"});
  b.node("Add", {"s", "d"}, {"y"});
  Model model = b.output("y").build();
  CHECK(constants_to_initializers(model.graph, 13) == 2);
  CHECK(model.graph.dump() == "s = Add(x, c)\ny = Add(s, d)\nreturn y\n");
  CHECK(model.graph.find("c")->is_initializer());
  CHECK(model.graph.find("d")->constant()->to_float() == std::vector<float>{3, 4});
}

TEST_CASE("a Constant that is a graph output stays a node", "[passes]") {
  ModelBuilder b(13);
  b.node("Constant", {}, {"y"}).with("value", floats({1}));
  Model model = b.output("y").build();
  CHECK(constants_to_initializers(model.graph, 13) == 0);
}

TEST_CASE("a chain over constants is computed once", "[passes]") {
  ModelBuilder b(13);
  b.input("x", {2}).weight("a", floats({1, 2})).weight("b", floats({3, 4}));
  b.node("Add", {"a", "b"}, {"sum"});
  b.node("Mul", {"sum", "b"}, {"product"});
  b.node("Add", {"x", "product"}, {"y"});
  Model model = b.output("y").build();
  CHECK(fold_constants(model.graph, 13) == 2);
  model.graph.remove_dead();
  CHECK(model.graph.dump() == "y = Add(x, product)\nreturn y\n");
  CHECK(model.graph.find("product")->constant()->to_float() == std::vector<float>{12, 24});
}

TEST_CASE("a dequantized weight stays quantized", "[passes]") {
  ModelBuilder b(13);
  b.input("x", {2})
      .weight("q", Tensor::from<int8_t>({2}, {1, 2}))
      .weight("s", Tensor::scalar<float>(0.5F));
  b.node("DequantizeLinear", {"q", "s"}, {"w"});
  b.node("Add", {"x", "w"}, {"y"});
  Model model = b.output("y").build();
  CHECK(fold_constants(model.graph, 13) == 0);
}

TEST_CASE("a constant result above the size limit is left to the run", "[passes]") {
  ModelBuilder b(13);
  b.weight("shape", ints({int64_t{1} << 20, int64_t{1} << 20}));
  b.node("ConstantOfShape", {"shape"}, {"big"});
  b.node("Relu", {"big"}, {"y"});
  Model model = b.output("y").build();
  CHECK(fold_constants(model.graph, 13) == 0);
}

TEST_CASE("the shape of a tensor of known shape is a constant", "[passes]") {
  ModelBuilder b(13);
  b.input("x", {2, 3}).node("Shape", {"x"}, {"shape"});
  b.node("Reshape", {"x", "shape"}, {"y"});
  Model model = b.output("y").build();
  CHECK(fold_shapes(model.graph, 13) == 1);
  CHECK(model.graph.find("shape")->constant()->to_int64() == std::vector<int64_t>{2, 3});
}

TEST_CASE("known dimensions are taken from a shape whose batch is open", "[passes]") {
  ModelBuilder b(13);
  b.input("x", {-1, 3, 5, 7}).weight("i", Tensor::scalar<int64_t>(-1)).weight("one", ints({1}));
  b.weight("three", ints({3}));
  b.node("Shape", {"x"}, {"shape"});
  b.node("Gather", {"shape", "i"}, {"width"});
  b.node("Slice", {"shape", "one", "three"}, {"middle"});
  b.node("Identity", {"width"}, {"y"});
  b.node("Identity", {"middle"}, {"z"});
  Model model = b.output("y").output("z").build();
  CHECK(fold_shapes(model.graph, 13) == 2);
  CHECK(model.graph.find("width")->constant()->to_int64() == std::vector<int64_t>{7});
  CHECK(model.graph.find("width")->constant()->rank() == 0);
  CHECK(model.graph.find("middle")->constant()->to_int64() == std::vector<int64_t>{3, 5});
}

TEST_CASE("an open dimension is not folded", "[passes]") {
  ModelBuilder b(13);
  b.input("x", {-1, 3}).weight("i", ints({0}));
  b.node("Shape", {"x"}, {"shape"});
  b.node("Gather", {"shape", "i"}, {"batch"});
  b.node("Identity", {"batch"}, {"y"});
  Model model = b.output("y").build();
  CHECK(fold_shapes(model.graph, 13) == 0);
}
