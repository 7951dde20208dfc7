// What looks like a success and is none: options that do nothing, models that stay as they were,
// plans that contradict themselves.
#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <functional>
#include <string>

#include "lib/base/file.h"
#include "lib/base/schema.h"
#include "tests/support/data_files.h"
#include "tests/support/model_builder.h"
#include "tests/support/paths.h"

namespace limbeck::test {
namespace {

namespace fs = std::filesystem;

const std::string kFashion = "'" + fixture("fashion_mnist_cnn.onnx").string() + "'";
const std::string kTrain = "'" + fixture("fashion_mnist_train.json").string() + "'";
const std::string kQuantize = "quantize " + kFashion + " --quiet -o out ";

/// Exit code and message, and nothing on disk.
void check_refused(const std::string& arguments, int code, const std::string& message,
                   const TemporaryFolder& folder) {
  const CommandResult result = run_program(arguments, folder.path());
  INFO(arguments << "\n" << result.err);
  CHECK(result.exit_code == code);
  CHECK(result.err.find(message) != std::string::npos);
  CHECK_FALSE(fs::exists(folder / "out"));
}

ModelBuilder product(const Tensor& weights, int64_t opset) {
  ModelBuilder builder(opset);
  builder.input("x", {-1, 4}, weights.type()).output("y").weight("w", weights);
  builder.node("MatMul", {"x", "w"}, {"y"});
  return builder;
}

/// 8 samples of four numbers: d.npy and its description d.json.
void write_small_data(const fs::path& folder) {
  write_file(folder / "d.npy", npy_bytes("<f4", "(8, 4)", raw_bytes(noise({8, 4}, 3).to_float())));
  write_file_atomically(folder / "d.json",
                        R"({"version": 1, "kind": "npy", "path": "d.npy", "input": "x"})");
}

using Edit = std::function<void(nlohmann::json&)>;

/// A plan of the fixture after an edit, fed back.
void check_edit(const Edit& edit, const std::string& message, const TemporaryFolder& folder) {
  nlohmann::json plan = parse_json(read_file(folder / "plan/plan.json"), "plan.json");
  edit(plan);
  write_file_atomically(folder / "edited.json", plan.dump());
  check_refused(kQuantize + "--no-report --plan edited.json --data " + kTrain, 2, message, folder);
}

}  // namespace

TEST_CASE("options that would do nothing are refused", "[cli][errors]") {
  const TemporaryFolder folder;
  const std::string dynamic = kQuantize + "--dynamic ";
  check_refused(dynamic + "--no-report --observer entropy", 2, "leave out --observer", folder);
  check_refused(dynamic + "--no-report --samples 8 --activations int8", 2,
                "leave out --activations, --samples", folder);
  check_refused(dynamic + "--no-report --data " + kTrain, 2, "uses --data for the report alone",
                folder);
  check_refused(kQuantize + "--no-report --eval-samples 5 --data " + kTrain, 2,
                "leave --eval-samples out", folder);
  check_refused(dynamic + "--no-report --weights uint8", 2, "--dynamic has int8 weights", folder);
}

TEST_CASE("a weight's width is not set where there are no weights", "[cli][errors]") {
  const TemporaryFolder folder;
  check_refused(kQuantize + "--no-report --samples 8 --set 'node:*latten*=int8' --data " + kTrain,
                2, "a width is that of weights", folder);
}

TEST_CASE("weights of another float type are unsupported, and not called quantizable",
          "[cli][errors]") {
  const TemporaryFolder folder;
  const Tensor half = Tensor::zeros(DataType::kFloat16, {4, 3});
  write_file_atomically(folder / "half.onnx", product(half, 13).bytes());
  check_refused("quantize half.onnx --dynamic --no-report -o out", 4,
                "weights of type float (FP32) are needed; got float16", folder);
  const CommandResult result = run_program("inspect half.onnx --json", folder.path());
  REQUIRE(result.exit_code == 0);
  const nlohmann::json report = parse_json(result.out, "inspect");
  CHECK(report.at("quantizable").at("nodes") == 0);
}

TEST_CASE("a model in which nothing computes in integers is unsupported, with the reasons",
          "[cli][errors]") {
  const TemporaryFolder folder;
  check_refused(kQuantize + "--no-report --samples 8 --set 'node:*=float' --data " + kTrain, 4,
                "something must compute in integers; got", folder);
}

TEST_CASE("an opset that was not reviewed is unsupported, but can be inspected", "[cli][errors]") {
  const TemporaryFolder folder;
  write_file_atomically(folder / "new.onnx", product(noise({4, 3}, 1), 99).bytes());
  check_refused("quantize new.onnx --dynamic --no-report -o out", 4, "got opset 99", folder);
  CHECK(run_program("bench new.onnx --seconds 0", folder.path()).exit_code == 4);
  CHECK(run_program("inspect new.onnx", folder.path()).exit_code == 0);
}

TEST_CASE("an edited plan that contradicts itself or the model is refused", "[cli][errors]") {
  const TemporaryFolder folder;
  REQUIRE(run_program(
              "quantize " + kFashion + " --quiet --no-report --samples 8 -o plan --data " + kTrain,
              folder.path())
              .exit_code == 0);
  check_edit([](auto& plan) { plan["nodes"].begin().value()["op"] = "Softmax"; },
             "the operator must be that of the model; got 'Softmax'", folder);
  check_edit([](auto& plan) { plan["weights"].erase(plan["weights"].begin()); },
             "needs an entry in weights", folder);
  std::string grouped;
  const nlohmann::json plan = parse_json(read_file(folder / "plan/plan.json"), "plan.json");
  for (const auto& [name, item] : plan.at("activations").items()) {
    if (item.contains("group") && item.at("group") != name) grouped = name;
  }
  REQUIRE_FALSE(grouped.empty());
  check_edit([&](auto& edited) { edited["activations"][grouped]["high"] = 1000.0; },
             "tensors of a group have the same type and range", folder);
  check_edit([&](auto& edited) { edited["activations"][grouped]["group"] = "nobody"; },
             "a group is named after one of its tensors; got 'nobody'", folder);
  check_edit([&](auto& edited) { edited["activations"][grouped].erase("group"); },
             "must be of one group", folder);
}

TEST_CASE("options that belong to others are refused alone", "[cli][errors]") {
  const TemporaryFolder folder;
  const std::string evaluate = "evaluate " + kFashion + " --data " + kTrain + " --samples 4 ";
  check_refused(evaluate + "--layer-samples 5", 2, "--layer-samples belongs to --layers", folder);
  check_refused(evaluate + "--metric-patience 5", 2, "belongs to --metric-command", folder);
  check_refused(kQuantize + "--metric-patience 5 --data " + kTrain, 2,
                "belongs to --metric-command", folder);
}

TEST_CASE("4-bit activations are refused where only the ends could read them", "[cli][errors]") {
  const TemporaryFolder folder;
  write_file_atomically(folder / "m.onnx", product(noise({4, 3}, 1), 13).bytes());
  write_small_data(folder.path());
  check_refused("quantize m.onnx --activations uint4 --no-report --quiet -o out --data d.json", 2,
                "some weighted layer other than the first and the last", folder);
}

TEST_CASE("an output does not replace an input", "[cli][errors]") {
  const TemporaryFolder folder;
  write_file_atomically(folder / "m.onnx", product(noise({4, 3}, 1), 13).bytes());
  write_small_data(folder.path());
  const auto before = sha256_file(folder / "m.onnx");
  const auto data = sha256_file(folder / "d.npy");
  const std::string rule = "an output must not replace what it is made from";
  const std::string quantize = "quantize m.onnx --data d.json --no-report --quiet -o out ";
  for (const char* target : {"m.onnx", "d.npy", "d.json"}) {
    check_refused(quantize + "--save-plan " + target, 2, rule, folder);
    check_refused(std::string("calibrate m.onnx --data d.json -o ") + target, 2, rule, folder);
  }
  CHECK(sha256_file(folder / "m.onnx") == before);
  CHECK(sha256_file(folder / "d.npy") == data);
  fs::copy_file(folder / "d.json", folder / "plan.json");
  const CommandResult result =
      run_program("quantize m.onnx --data plan.json --no-report --quiet -o .", folder.path());
  CHECK(result.exit_code == 2);
  CHECK(result.err.find(rule) != std::string::npos);
}

TEST_CASE("what a killed run staged is cleared away, and nothing else", "[cli]") {
  const TemporaryFolder folder;
  write_file_atomically(folder / "m.onnx", product(noise({4, 3}, 1), 13).bytes());
  write_small_data(folder.path());
  fs::create_directories(folder / "out/.limbeck-staging-Ab12Cd");
  write_file_atomically(folder / "out/.limbeck-staging-Ab12Cd/report.json", "stale");
  fs::create_directories(folder / "out/.limbeck-999999");
  write_file_atomically(folder / "out/.limbeck-staging-notes", "a file of the user");
  const std::string quantize = "quantize m.onnx --data d.json --no-report --quiet -o out";
  REQUIRE(run_program(quantize, folder.path()).exit_code == 0);
  CHECK_FALSE(fs::exists(folder / "out/.limbeck-staging-Ab12Cd"));
  CHECK_FALSE(fs::exists(folder / "out/report.json"));
  CHECK(fs::exists(folder / "out/.limbeck-999999"));
  CHECK(fs::exists(folder / "out/.limbeck-staging-notes"));
}

TEST_CASE("nodes without names are quantized, also after others were folded into them", "[cli]") {
  const TemporaryFolder folder;
  ModelBuilder builder(13);
  builder.input("x", {-1, 4}).output("y").weight("w", noise({4, 3}, 1));
  builder.weight("b", noise({3}, 2));
  builder.node("MatMul", {"x", "w"}, {"m"});
  builder.node("Identity", {"m"}, {"n"});
  builder.node("Add", {"n", "b"}, {"y"});
  for (auto& node : *builder.proto().mutable_graph()->mutable_node()) node.clear_name();
  write_file_atomically(folder / "m.onnx", builder.bytes());
  write_small_data(folder.path());
  const CommandResult result =
      run_program("quantize m.onnx --data d.json --no-report --quiet -o out", folder.path());
  INFO(result.err);
  CHECK(result.exit_code == 0);
}

TEST_CASE("an evaluation without a figure is refused", "[cli][errors]") {
  const TemporaryFolder folder;
  write_file_atomically(folder / "data.json",
                        R"({"version": 1, "kind": "idx", "input": "image", "path": )"
                        R"("/usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz"})");
  const std::string evaluate = "evaluate " + kFashion + " --data data.json --samples 4";
  check_refused(evaluate, 2, "something must be measured", folder);
  CHECK(run_program(evaluate + " --reference " + kFashion, folder.path()).exit_code == 0);
}

}  // namespace limbeck::test
