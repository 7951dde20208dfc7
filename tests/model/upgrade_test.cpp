// The upgrade as a whole: what it may touch, and when it refuses.
#include "lib/model/upgrade_table.h"
#include "tests/model/rich_model.h"
#include "tests/model/upgrade_case.h"

using namespace limbeck;
using test::check_error;
using test::error_of;
using test::ModelBuilder;
using test::upgrade_error;
using test::upgraded;

namespace {

ModelBuilder unary(int64_t opset, const std::string& op_type) {
  ModelBuilder builder(opset);
  builder.input("x", {2, 3}).output("y");
  builder.node(op_type, {"x"}, {"y"});
  return builder;
}

/// If with a body of one node that reads x.
ModelBuilder with_body(int64_t opset, const std::string& op_type) {
  ModelBuilder builder(opset);
  builder.input("x", {2, 3}).input("c", {}, DataType::kBool).output("y");
  builder.node("If", {"c"}, {"y"})
      .with("then_branch", test::branch(op_type, "a"))
      .with("else_branch", test::branch("Identity", "b"));
  return builder;
}

ModelBuilder with_function(const std::string& op_type) {
  ModelBuilder builder(11);
  builder.input("x", {2, 3}).output("y");
  builder.node("Twice", {"x"}, {"y"}).in_domain("com.example");
  test::add_function(&builder.proto());
  auto* function = builder.proto().mutable_functions(0);
  function->mutable_opset_import(0)->set_version(11);
  function->mutable_node(0)->set_op_type(op_type);
  function->mutable_node(0)->set_name("inner");
  return builder;
}

}  // namespace

TEST_CASE("an operator without changes only gets the new opset", "[model]") {
  const Model after = upgraded(unary(7, "Relu"), 21);
  CHECK(after.graph.dump() == "y = Relu(x)\nreturn y\n");
}

TEST_CASE("a model that is as new already stays as it is", "[model]") {
  for (const int64_t target : {9, 13}) {
    Model model = unary(13, "Relu").build();
    upgrade_opset(model, target);
    CHECK(model.opset() == 13);
    CHECK(model.envelope.ir_version() == 7);
  }
}

TEST_CASE("the IR version follows the opset and never falls", "[model]") {
  const auto ir_after = [](int64_t ir, int64_t target) {
    Model model = unary(7, "Relu").build();
    model.envelope.set_ir_version(ir);
    upgrade_opset(model, target);
    return model.envelope.ir_version();
  };
  CHECK(ir_after(3, 8) == 3);
  CHECK(ir_after(3, 10) == 5);
  CHECK(ir_after(3, 13) == 7);
  CHECK(ir_after(3, 21) == 10);
  CHECK(ir_after(9, 13) == 9);
}

TEST_CASE("an opset beyond the table is refused", "[model]") {
  check_error(upgrade_error(unary(13, "Relu"), 22), Category::kUnsupported, "model",
              "models are upgraded to opset 21 at most", "opset 22");
}

TEST_CASE("an operator that the table does not know is refused, naming the node", "[model]") {
  check_error(upgrade_error(unary(7, "ATen"), 13), Category::kUnsupported, "node 'n0' (ATen)",
              "an operator must be known to be upgraded from opset 7 to 8",
              "operator 'ATen' of opset 7");
}

TEST_CASE("operators of other domains are left alone", "[model]") {
  ModelBuilder builder = unary(7, "Clip");
  builder.proto().mutable_graph()->mutable_node(0)->set_domain("com.example");
  auto* import = builder.proto().add_opset_import();
  import->set_domain("com.example");
  import->set_version(1);
  const Model after = upgraded(builder, 21);
  CHECK(after.graph.dump() == "y = com.example::Clip(x)\nreturn y\n");
  CHECK(after.opset("com.example") == 1);
}

TEST_CASE("Scatter becomes ScatterElements in opset 11", "[model]") {
  ModelBuilder builder(9);
  builder.input("x", {3, 3}).input("u", {1, 3}).output("y");
  builder.weight("i", Tensor::from<int64_t>({1, 3}, {0, 1, 2}));
  builder.node("Scatter", {"x", "i", "u"}, {"y"}).with("axis", 1);
  const Model after = upgraded(builder, 21);
  CHECK(after.graph.dump() == "y = ScatterElements(x, i, u)\nreturn y\n");
  CHECK(after.graph.nodes().front()->int_attribute("axis", 0) == 1);
}

TEST_CASE("a Scan of opset 8 cannot pass opset 9", "[model]") {
  check_error(upgrade_error(unary(8, "Scan"), 13), Category::kUnsupported, "node 'n0' (Scan)",
              "Scan lost its batch axis in opset 9", "Scan of opset 8");
}

TEST_CASE("a subgraph may pass when nothing changes for its operators", "[model]") {
  CHECK(upgraded(with_body(11, "Relu"), 13).graph.dump() == "y = If(c)\nreturn y\n");
}

TEST_CASE("a subgraph with an operator that changes is refused, naming the inner node", "[model]") {
  check_error(upgrade_error(with_body(11, "Softmax"), 13), Category::kUnsupported,
              "node 'n0' (If), inner node 'inner_Softmax' (Softmax)",
              "operators inside subgraphs and functions are not upgraded",
              "an operator that changed in opset 13");
  CHECK(upgraded(with_body(13, "Softmax"), 21).opset() == 21);
}

TEST_CASE("functions follow the model's opset or the upgrade is refused", "[model]") {
  const Model after = upgraded(with_function("Add"), 13);
  CHECK(after.envelope.functions(0).opset_import(0).version() == 13);
  check_error(upgrade_error(with_function("Squeeze"), 13), Category::kUnsupported,
              "function 'Twice', inner node 'inner' (Squeeze)",
              "operators inside subgraphs and functions are not upgraded",
              "an operator that changed in opset 13");
}

TEST_CASE("the table of histories is sorted, without repeats, changes in ascending order",
          "[model]") {
  const auto rows = operator_histories();
  for (size_t i = 1; i < rows.size(); ++i) CHECK(rows[i - 1].name < rows[i].name);
  for (const OperatorHistory& row : rows) {
    INFO(row.name);
    CHECK(find_history(row.name) == &row);
    int64_t last = 7;
    for (const BreakingChange& change : row.changes) {
      CHECK(change.opset > last);
      CHECK(change.opset <= kNewestUpgrade);
      CHECK(change.rule != nullptr);
      last = change.opset;
    }
  }
  CHECK(find_history("NoSuchOperator") == nullptr);
}

TEST_CASE("every operator that the engine knows can be upgraded", "[model]") {
  for (const OpRow& row : op_table()) {
    INFO(row.name);
    if (row.domain.empty()) CHECK(find_history(row.name) != nullptr);
  }
}
