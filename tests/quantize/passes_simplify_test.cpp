#include <catch2/catch_test_macros.hpp>
#include <filesystem>

#include "lib/quantize/passes/simplify.h"
#include "tests/support/model_builder.h"
#include "tests/support/paths.h"
#include "tests/support/reference_run.h"

using namespace limbeck;
using namespace limbeck::test;

TEST_CASE("simplify reaches a fixed point where one pass prepares the next", "[passes]") {
  ModelBuilder b(13);
  b.input("x", {-1, 3, 6, 6})
      .weight("w", noise({4, 3, 3, 3}, 1))
      .weight("zero", Tensor::scalar<float>(0));
  b.weight("six", Tensor::scalar<float>(6)).weight("pads", ints({0, 0, 1, 1, 0, 0, 1, 1}));
  b.node("Pad", {"x", "pads"}, {"padded"});
  b.node("Conv", {"padded", "w"}, {"conv"});
  b.node("Constant", {}, {"s"}).with("value", noise({4}, 2));
  b.node("Identity", {"s"}, {"s_copy"});
  b.node("Constant", {}, {"t"}).with("value", noise({4}, 3));
  b.node("Constant", {}, {"m"}).with("value", noise({4}, 4));
  b.node("Constant", {}, {"v"}).with("value", positive_noise({4}, 5));
  b.node("Identity", {"conv"}, {"same"});
  b.node("BatchNormalization", {"same", "s_copy", "t", "m", "v"}, {"norm"});
  b.node("Mul", {"norm", "six"}, {"scaled"});
  b.node("Relu", {"scaled"}, {"relu"});
  b.node("Clip", {"relu", "zero", "six"}, {"clip"});
  b.node("Dropout", {"clip"}, {"y"});
  const Model before = b.output("y").build();
  Model after = copy_model(before);
  simplify(after);
  CHECK(after.graph.nodes().size() == 2);
  CHECK(after.graph.nodes().front()->op_type() == "Conv");
  CHECK(after.graph.nodes().front()->output(0)->name() == "scaled");
  CHECK(after.graph.nodes().back()->op_type() == "Clip");
  check_same_outputs(before, after, {{"x", noise({2, 3, 6, 6}, 6)}});
  const std::string once = after.graph.dump();
  simplify(after);
  CHECK(after.graph.dump() == once);
}

TEST_CASE("simplify leaves operators of unknown domains as they are", "[passes]") {
  ModelBuilder b(13);
  b.input("x", {2}).weight("c", floats({1, 2}));
  b.node("Mystery", {"x", "c"}, {"a"}).in_domain("com.example");
  b.node("Identity", {"a"}, {"y"});
  Model model = b.output("y").build();
  simplify(model);
  CHECK(model.graph.dump() == "y = com.example::Mystery(x, c)\nreturn y\n");
}

TEST_CASE("simplify leaves what a subgraph reads alone", "[passes]") {
  onnx::GraphProto branch;
  branch.set_name("branch");
  auto* inner = branch.add_node();
  inner->set_op_type("Relu");
  inner->add_input("kept");
  inner->add_output("z");
  branch.add_output()->set_name("z");
  ModelBuilder b(13);
  b.input("x", {2}).input("c", {}, DataType::kBool);
  b.node("Relu", {"x"}, {"a"});
  b.node("Identity", {"a"}, {"kept"});
  b.node("If", {"c"}, {"y"}).with("then_branch", branch).with("else_branch", branch);
  Model model = b.output("y").build();
  simplify(model);
  CHECK(model.graph.find("kept") != nullptr);
  CHECK(model.graph.nodes().size() == 3);
}

TEST_CASE("the trained Fashion-MNIST model computes the same after simplification", "[passes]") {
  const Model before = load_model(test::fixture("fashion_mnist_cnn.onnx"));
  Model after = copy_model(before);
  simplify(after);
  CHECK(after.graph.nodes().size() <= before.graph.nodes().size());
  Dims dims;
  for (const Dim& dim : *before.graph.inputs()[0]->shape)
    dims.push_back(dim.known() ? dim.value : 2);
  check_same_outputs(before, after, {{before.graph.inputs()[0]->name(), noise(dims, 1)}});
}
