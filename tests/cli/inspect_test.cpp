#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <nlohmann/json.hpp>

#include "lib/base/file.h"
#include "tests/model/rich_model.h"
#include "tests/support/paths.h"

using namespace limbeck;
using Catch::Matchers::ContainsSubstring;
using test::ModelBuilder;
using test::noise;
using test::run_program;
using Json = nlohmann::json;

namespace {

/// 3888 MACs in a convolution, 720 in a classifier; 828 weights.
ModelBuilder small_network() {
  ModelBuilder builder(13);
  builder.input("x", {-1, 3, 8, 8}).output("y");
  builder.weight("w", noise({4, 3, 3, 3}, 1)).weight("fc", noise({144, 5}, 2));
  builder.node("Conv", {"x", "w"}, {"c"});
  builder.node("Relu", {"c"}, {"r"});
  builder.node("Flatten", {"r"}, {"f"});
  builder.node("Gemm", {"f", "fc"}, {"y"});
  return builder;
}

test::CommandResult inspect(const std::string& bytes, const std::string& options = "") {
  const test::TemporaryFolder folder;
  write_file_atomically(folder / "m.onnx", bytes);
  return run_program("inspect m.onnx " + options, folder.path());
}

Json inspect_json(const std::string& bytes) {
  const test::CommandResult result = inspect(bytes, "--json");
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  return Json::parse(result.out);
}

}  // namespace

TEST_CASE("inspect shows a model as aligned tables", "[cli]") {
  const test::CommandResult result = inspect(small_network().bytes());
  CHECK(result.exit_code == 0);
  CHECK(result.err.empty());
  CHECK(result.out ==
        "  model        m.onnx\n"
        "  opsets       ir 7, ai.onnx 13\n"
        "  inputs       x  float[N,3,8,8]\n"
        "  outputs      y  float[N,5]\n"
        "  nodes        4\n"
        "  parameters   828, 3.23 KiB as stored\n"
        "  MACs         4.61 K for one sample\n"
        "  memory       1.31 KiB of activations for one sample, at 'n0'\n"
        "  quantizable  2 nodes, 100.0 % of the MACs\n"
        "  quantized    0 nodes, 0.0 % of the MACs\n"
        "\n"
        "  operator  nodes\n"
        "  Conv          1\n"
        "  Flatten       1\n"
        "  Gemm          1\n"
        "  Relu          1\n"
        "\n"
        "  most expensive node  operator    MACs   share  state\n"
        "  n0                   Conv      3.89 K  84.4 %  quantizable\n"
        "  n3                   Gemm         720  15.6 %  quantizable\n");
}

TEST_CASE("inspect --json tells the same in numbers", "[cli]") {
  const Json result = inspect_json(small_network().bytes());
  CHECK(result["version"] == 1);
  CHECK(result["model"] == "m.onnx");
  CHECK(result["ir_version"] == 7);
  CHECK(result["opsets"] == Json{{"ai.onnx", 13}});
  CHECK(result["inputs"] ==
        Json::parse(R"([{"name": "x", "type": "float", "shape": ["N", 3, 8, 8]}])"));
  CHECK(result["outputs"] == Json::parse(R"([{"name": "y", "type": "float", "shape": ["N", 5]}])"));
  CHECK(result["nodes"] == 4);
  CHECK(result["parameters"] == 828);
  CHECK(result["weight_bytes"] == 3312);
  CHECK(result["macs"] == 4608);
  CHECK(result["peak_activation_bytes"] == 1344);
  CHECK(result["peak_node"] == "n0");
  CHECK(result["quantizable"] == Json::parse(R"({"nodes": 2, "mac_share": 1.0})"));
  CHECK(result["quantized"] == Json::parse(R"({"nodes": 0, "mac_share": 0.0})"));
  CHECK(result["operators"][0] ==
        Json::parse(R"({"domain": "ai.onnx", "operator": "Conv", "nodes": 1})"));
  CHECK(result["missing_operators"].empty());
  CHECK(result["most_expensive"].size() == 2);
  CHECK(result["most_expensive"][0] == Json::parse(R"({"node": "n0", "operator": "Conv",
        "macs": 3888, "share": 0.84375, "state": "quantizable"})"));
  CHECK(result["shape_problem"].is_null());
}

TEST_CASE("inspect --dump prints the graph, one line a node", "[cli]") {
  const test::CommandResult result = inspect(small_network().bytes(), "--dump");
  CHECK(result.exit_code == 0);
  CHECK(result.out ==
        "input x:float[N,3,8,8]\n"
        "constant w:float[4,3,3,3]\n"
        "constant fc:float[144,5]\n"
        "c:float[N,4,6,6] = Conv(x, w)\n"
        "r:float[N,4,6,6] = Relu(c)\n"
        "f:float[N,144] = Flatten(r)\n"
        "y:float[N,5] = Gemm(f, fc)\n"
        "return y\n");
}

TEST_CASE("inspect --dump with --json is a usage error", "[cli]") {
  CHECK(inspect(small_network().bytes(), "--dump --json").exit_code == 2);
}

TEST_CASE("inspect works with unknown operators, functions and subgraphs", "[cli]") {
  const Json result = inspect_json(test::rich_model().SerializeAsString());
  CHECK(result["producer"] == "rich 1.2");
  CHECK(result["opsets"] == Json::parse(R"({"ai.onnx": 13, "com.example": 2})"));
  CHECK(result["subgraph_nodes"] == 2);
  CHECK(result["functions"] == 1);
  CHECK(result["outputs"][0]["shape"].is_null());
  std::vector<std::string> missing;
  for (const Json& entry : result["missing_operators"])
    missing.push_back(entry["domain"].get<std::string>() +
                      "::" + entry["operator"].get<std::string>());
  CHECK(missing ==
        std::vector<std::string>{"ai.onnx::If", "com.example::Mystery", "com.example::Twice"});
  const test::CommandResult text = inspect(test::rich_model().SerializeAsString());
  CHECK(text.exit_code == 0);
  CHECK(text.out.find("nodes        5, and 2 in subgraphs, functions: 1\n") != std::string::npos);
  CHECK(text.out.find("unknown      If, com.example::Mystery, com.example::Twice (limbeck cannot "
                      "run them)\n") != std::string::npos);
}

TEST_CASE("inspect reads a model whose declared shapes contradict, and says so", "[cli]") {
  ModelBuilder builder = small_network();
  auto* info = builder.proto().mutable_graph()->add_value_info();
  *info = builder.proto().graph().input(0);
  info->set_name("c");
  const Json result = inspect_json(builder.bytes());
  CHECK(result["shape_problem"] ==
        "invalid model: node 'n0' (Conv) output 'c': the declared shape must be the one that the "
        "operator gives, [N,4,6,6]; got [N,3,8,8]. Next: export the model again, "
        "or correct the node");
}

TEST_CASE("inspect lists at most ten expensive nodes, the highest first", "[cli]") {
  ModelBuilder builder(13);
  builder.input("v0", {1, 4}).output("v12").weight("w", noise({4, 4}, 1));
  for (int i = 0; i < 12; ++i)
    builder.node("MatMul", {"v" + std::to_string(i), "w"}, {"v" + std::to_string(i + 1)});
  const Json result = inspect_json(builder.bytes());
  CHECK(result["most_expensive"].size() == 10);
  CHECK(result["most_expensive"][0]["node"] == "n0");
  CHECK(result["macs"] == 12 * 16);
}

TEST_CASE("names from the file cannot act on the terminal", "[cli]") {
  ModelBuilder builder = small_network();
  builder.proto().mutable_graph()->mutable_node(0)->set_name("evil\x1B[2J\n");
  builder.proto().set_producer_name("bad\xFF utf");
  const test::CommandResult text = inspect(builder.bytes());
  CHECK(text.out.find('\x1B') == std::string::npos);
  CHECK(text.out.find("evil?[2J?  ") != std::string::npos);
  CHECK(inspect_json(builder.bytes())["peak_node"] == "evil\x1B[2J\n");
}

TEST_CASE("inspect of a damaged file exits with the code of invalid models", "[cli]") {
  const test::CommandResult result = inspect("no model");
  CHECK(result.exit_code == 3);
  CHECK(result.out.empty());
  CHECK(result.err ==
        "limbeck: invalid model: m.onnx: model: the file must be an ONNX protobuf below 2 GiB; got "
        "8 bytes that do not parse. Next: export the model again; the file is truncated or not "
        "ONNX\n");
}

TEST_CASE("inspect of a missing file exits with the code of input and output", "[cli]") {
  const test::TemporaryFolder folder;
  const test::CommandResult result = run_program("inspect none.onnx", folder.path());
  CHECK(result.exit_code == 6);
  CHECK(result.err.find("limbeck: input/output: none.onnx: ") == 0);
}

namespace {

/// A convolution of 3 x 3 over an input whose height and width are open.
ModelBuilder open_network() {
  ModelBuilder builder = small_network();
  auto* nodes = builder.proto().mutable_graph()->mutable_node();
  nodes->DeleteSubrange(2, 2);
  builder.proto().mutable_graph()->mutable_output(0)->set_name("r");
  auto* shape = builder.proto()
                    .mutable_graph()
                    ->mutable_input(0)
                    ->mutable_type()
                    ->mutable_tensor_type()
                    ->mutable_shape();
  shape->mutable_dim(2)->set_dim_param("height");
  shape->mutable_dim(3)->clear_dim_value();
  return builder;
}

}  // namespace

TEST_CASE("inspect calls no share of unknown MACs a share of all", "[cli]") {
  const test::CommandResult text = inspect(open_network().bytes());
  CHECK(text.exit_code == 0);
  CHECK_THAT(text.out, ContainsSubstring("MACs         0 for one sample; unknown for 1 of 1 nodes: "
                                         "fix the input with --shape 'x=DIM,3,DIM,DIM'\n"));
  CHECK_THAT(text.out, ContainsSubstring("quantizable  1 nodes, of unknown MACs 1\n"));
  const Json result = inspect_json(open_network().bytes());
  CHECK(result["nodes_of_unknown_macs"] == 1);
  CHECK(result["quantizable"]["mac_share"].is_null());
}

TEST_CASE("inspect --shape puts numbers in place of open dimensions", "[cli]") {
  const test::CommandResult text = inspect(open_network().bytes(), "--shape x=1,3,8,8 --json");
  INFO(text.err);
  REQUIRE(text.exit_code == 0);
  const Json result = Json::parse(text.out);
  CHECK(result["macs"] == 3888);
  CHECK(result["nodes_of_unknown_macs"] == 0);
  CHECK(result["quantizable"]["mac_share"] == 1.0);
  CHECK(result["outputs"][0]["shape"] == Json::parse("[1, 4, 6, 6]"));
}

TEST_CASE("inspect --shape refuses what does not fit the input", "[cli]") {
  const auto refused = [](const std::string& option, const std::string& message) {
    const test::CommandResult result = inspect(open_network().bytes(), "--shape " + option);
    CHECK(result.exit_code == 2);
    CHECK_THAT(result.err, ContainsSubstring(message));
    CHECK(result.out.empty());
  };
  refused("x=1,4,8,8", "every dimension of [N,3,height,?]; got [1,4,8,8]");
  refused("x=1,3,8", "got [1,3,8]");
  refused("x=1,3,8,-8", "got [1,3,8,-8]");
  refused("x=1,3,8,b", "it must be NAME=DIM,DIM,...; got 'x=1,3,8,b'");
  refused("y=1,3,8,8", "it must name an input of the model; got a model with the inputs 'x'");
  refused("1,3,8,8", "it must be NAME=DIM,DIM,...; got '1,3,8,8'");
}
