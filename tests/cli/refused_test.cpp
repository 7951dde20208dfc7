// What looks like a success and is none: options that do nothing, models that stay as they were,
// plans that contradict themselves.
#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <functional>
#include <string>

#include "lib/base/file.h"
#include "lib/base/schema.h"
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
