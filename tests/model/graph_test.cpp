// The rewrite verb and what it must keep in order.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>

#include "tests/model/expect_error.h"
#include "tests/model/rich_model.h"

using namespace limbeck;
using test::check_error;
using test::error_of;
using test::ModelBuilder;

namespace {

/// x -> Relu a -> Sigmoid b -> Add(b, a) y, and a is read twice by Mul -> z.
Model diamond() {
  ModelBuilder builder(13);
  builder.input("x", {1, 4}).output("y").output("z");
  builder.node("Relu", {"x"}, {"a"});
  builder.node("Sigmoid", {"a"}, {"b"});
  builder.node("Add", {"b", "a"}, {"y"});
  builder.node("Mul", {"a", "a"}, {"z"});
  return builder.build();
}

/// Uses say what the input slots say, both ways.
void check_use_lists(const Graph& graph) {
  size_t uses = 0;
  size_t slots = 0;
  for (const Value* value : graph.values()) {
    uses += value->uses().size();
    for (const Use& use : value->uses()) CHECK(use.node->input(use.index) == value);
    CHECK(graph.find(value->name()) == value);
  }
  for (const auto& node : graph.nodes()) {
    slots += static_cast<size_t>(std::count_if(node->inputs().begin(), node->inputs().end(),
                                               [](const Value* v) { return v != nullptr; }));
    for (const Value* output : node->outputs()) CHECK(output->producer() == node.get());
  }
  CHECK(uses == slots);
}

}  // namespace

TEST_CASE("replacing a value moves every use, repeated ones too", "[model]") {
  Model model = diamond();
  Graph& graph = model.graph;
  REQUIRE(graph.dump() ==
          "a = Relu(x)\nb = Sigmoid(a)\ny = Add(b, a)\nz = Mul(a, a)\nreturn y, z\n");
  graph.replace_all_uses(graph.find("a"), graph.find("x"));
  CHECK(graph.find("a")->uses().empty());
  CHECK(graph.find("x")->uses().size() == 5);
  check_use_lists(graph);
  CHECK(graph.remove_dead() == 1);
  CHECK(graph.dump() == "b = Sigmoid(x)\ny = Add(b, x)\nz = Mul(x, x)\nreturn y, z\n");
  check_use_lists(graph);
}

TEST_CASE("replacing a graph output keeps the name that the outside sees", "[model]") {
  Model model = diamond();
  Graph& graph = model.graph;
  Value* y = graph.find("y");
  Value* b = graph.find("b");
  graph.replace_all_uses(y, b);
  CHECK(b->name() == "y");
  CHECK(b->is_graph_output());
  CHECK_FALSE(y->is_graph_output());
  CHECK(graph.remove_dead() == 1);
  CHECK(graph.dump() == "a = Relu(x)\ny = Sigmoid(a)\nz = Mul(a, a)\nreturn y, z\n");
  check_use_lists(graph);
}

TEST_CASE("a graph output cannot take the place of another input or output", "[model]") {
  Model model = diamond();
  Graph& graph = model.graph;
  for (const char* name : {"x", "z"}) {
    check_error(error_of([&] { graph.replace_all_uses(graph.find("y"), graph.find(name)); }),
                Category::kInternal, "value 'y'",
                "a graph output cannot be replaced by a value whose name must stay",
                "'" + std::string(name) + "'");
  }
}

TEST_CASE("a node inserted behind a value reads it and serves all its readers", "[model]") {
  Model model = diamond();
  Graph& graph = model.graph;
  Value* a = graph.find("a");
  Node* clip = graph.add_node("Clip", "", "clip", {a}, {"a_clipped"}, a->uses()[1].node);
  graph.replace_all_uses(a, clip->output(0));
  graph.set_input(clip, 0, a);
  check_use_lists(graph);
  graph.sort();
  CHECK(graph.dump() ==
        "a = Relu(x)\na_clipped = Clip(a)\nb = Sigmoid(a_clipped)\n"
        "y = Add(b, a_clipped)\nz = Mul(a_clipped, a_clipped)\nreturn y, z\n");
}

TEST_CASE("redirecting one input leaves the other slots alone", "[model]") {
  Model model = diamond();
  Graph& graph = model.graph;
  Node* mul = graph.find("z")->producer();
  graph.set_input(mul, 1, graph.find("b"));
  CHECK(graph.find("a")->uses().size() == 3);
  CHECK(mul->input(0) == graph.find("a"));
  CHECK(mul->input(1) == graph.find("b"));
  graph.set_input(mul, 4, graph.find("x"));
  CHECK(mul->input(3) == nullptr);
  CHECK(graph.dump().find("z = Mul(a, b, -, -, x)") != std::string::npos);
}

TEST_CASE("new values get a free name", "[model]") {
  Model model = diamond();
  CHECK(model.graph.add_value("a")->name() == "a_1");
  CHECK(model.graph.add_value("a")->name() == "a_2");
  CHECK(model.graph.add_initializer("w", Tensor::scalar(1.0F))->name() == "w");
}

TEST_CASE("a node in use cannot be removed", "[model]") {
  Model model = diamond();
  check_error(error_of([&] { model.graph.remove_node(model.graph.find("a")->producer()); }),
              Category::kInternal, "node 'n0' (Relu)", "a node in use cannot be removed",
              "a removal");
  check_error(error_of([&] { model.graph.drop_output(model.graph.find("y")->producer(), 0); }),
              Category::kInternal, "node 'n2' (Add)", "an output in use cannot be dropped",
              "a removal");
}

TEST_CASE("renaming to a name in use is an error", "[model]") {
  Model model = diamond();
  model.graph.rename(model.graph.find("a"), "better");
  CHECK(model.graph.find("a") == nullptr);
  check_error(error_of([&] { model.graph.rename(model.graph.find("better"), "b"); }),
              Category::kInternal, "value 'better'",
              "the new name must be free and the value not captured", "b");
}

TEST_CASE("what a subgraph reads can be neither replaced nor removed", "[model]") {
  Model model = parse_model(test::rich_model().SerializeAsString(), ".");
  Value* w = model.graph.find("w");
  REQUIRE(w->captured_by_subgraph());
  CHECK(w->uses().empty());
  CHECK_FALSE(model.graph.find("k")->captured_by_subgraph());
  CHECK(model.graph.remove_dead() == 0);
  CHECK(model.graph.find("w") == w);
  check_error(error_of([&] { model.graph.replace_all_uses(w, model.graph.find("k")); }),
              Category::kInternal, "value 'w'", "a value read by a subgraph cannot be replaced",
              "a rewrite");
}

TEST_CASE("names that a subgraph defines itself are not read from outside", "[model]") {
  ModelBuilder builder(13);
  builder.input("x", {1}).input("c", {}, DataType::kBool).output("y");
  builder.node("If", {"c"}, {"y"})
      .with("then_branch", test::branch("Identity", "y"))
      .with("else_branch", test::branch("Identity", "y"));
  const Model model = builder.build();
  CHECK(model.graph.find("x")->captured_by_subgraph());
  CHECK_FALSE(model.graph.find("y")->captured_by_subgraph());
}

TEST_CASE("nodes out of order are sorted, captured values first", "[model]") {
  ModelBuilder builder(13);
  builder.input("in", {1}).input("c", {}, DataType::kBool).output("y");
  builder.weight("w", test::floats({1}));
  builder.node("Relu", {"chosen"}, {"y"});
  builder.node("If", {"c"}, {"chosen"})
      .with("then_branch", test::branch("Add", "sum"))
      .with("else_branch", test::branch("Identity", "same"));
  builder.node("Relu", {"in"}, {"x"});
  CHECK(builder.build().graph.dump() ==
        "x = Relu(in)\nchosen = If(c)\ny = Relu(chosen)\nreturn y\n");
}

TEST_CASE("the detailed dump shows types, shapes, constants and attributes", "[model]") {
  ModelBuilder builder(13);
  builder.input("x", {-1, 3, 4, 4}).output("y");
  builder.weight("w", test::noise({2, 3, 1, 1}, 1));
  builder.node("Conv", {"x", "w"}, {"c"}).with("strides", std::vector<int64_t>{2, 2});
  builder.node("LeakyRelu", {"c"}, {"l"}).with("alpha", 0.25F);
  builder.node("Strange", {"l", ""}, {"y"})
      .in_domain("com.example")
      .with("mode", std::string("linear"));
  CHECK(builder.build().graph.dump_details() ==
        "input x:float[N,3,4,4]\n"
        "constant w:float[2,3,1,1]\n"
        "c = Conv(x, w) {strides=[2,2]}\n"
        "l = LeakyRelu(c) {alpha=0.25}\n"
        "y:float = com.example::Strange(l, -) {mode='linear'}\n"
        "return y\n");
}

TEST_CASE("attributes of another type than expected are an error naming node and attribute",
          "[model]") {
  ModelBuilder builder(13);
  builder.input("x", {1}).output("y");
  builder.node("Softmax", {"x"}, {"y"}).with("axis", 1.5F);
  const Model model = builder.build();
  check_error(error_of([&] { model.graph.nodes().front()->int_attribute("axis", 0); }),
              Category::kInvalidModel, "node 'n0' (Softmax) attribute 'axis'",
              "the attribute must be of type int", "another type");
}
