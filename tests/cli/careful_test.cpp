// What must not be lost, overwritten or accepted.
#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>

#include "lib/base/file.h"
#include "lib/model/model_files.h"
#include "tests/support/model_builder.h"
#include "tests/support/paths.h"

namespace limbeck::test {
namespace {

namespace fs = std::filesystem;

const std::string kFashion = "'" + fixture("fashion_mnist_cnn.onnx").string() + "'";
const std::string kTrain = "'" + fixture("fashion_mnist_train.json").string() + "'";

std::map<std::string, std::string> contents(const fs::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::directory_iterator(folder))
    files[entry.path().filename().string()] = sha256_file(entry.path());
  return files;
}

/// y = x W, with the weights given.
ModelBuilder product(const Tensor& weights) {
  ModelBuilder builder(13);
  builder.input("x", {-1, 4}).output("y").weight("w", weights);
  builder.node("MatMul", {"x", "w"}, {"y"});
  return builder;
}

/// The same with the weights in `w.data` beside the file.
void save_external(const fs::path& folder, const Tensor& weights) {
  ModelBuilder builder = product(weights);
  auto& tensor = *builder.proto().mutable_graph()->mutable_initializer(0);
  tensor.clear_raw_data();
  tensor.clear_float_data();
  tensor.set_data_location(onnx::TensorProto::EXTERNAL);
  auto* location = tensor.add_external_data();
  location->set_key("location");
  location->set_value("w.data");
  const auto bytes = std::as_bytes(weights.as<float>());
  write_file_atomically(folder / "w.data",
                        {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  write_file_atomically(folder / "m.onnx", builder.bytes());
}

}  // namespace

TEST_CASE("a rerun that fails leaves what the run before it made", "[cli]") {
  const TemporaryFolder folder;
  const std::string run = "quantize " + kFashion + " --data " + kTrain +
                          " --samples 16 --eval-samples 16 --quiet -o out";
  REQUIRE(run_program(run, folder.path()).exit_code == 0);
  const auto before = contents(folder / "out");
  CHECK(before.size() == 4);
  CHECK(run_program(run + " --metric-command 'exit 3'", folder.path()).exit_code == 5);
  CHECK(contents(folder / "out") == before);
}

TEST_CASE("a run without report removes the report of the model that it replaces", "[cli]") {
  const TemporaryFolder folder;
  const std::string run = "quantize " + kFashion + " --data " + kTrain + " --samples 16 --quiet";
  REQUIRE(run_program(run + " --eval-samples 16 -o out", folder.path()).exit_code == 0);
  REQUIRE(run_program(run + " --no-report -o out", folder.path()).exit_code == 0);
  CHECK_FALSE(fs::exists(folder / "out/report.json"));
  CHECK_FALSE(fs::exists(folder / "out/report.html"));
  CHECK(contents(folder / "out").size() == 2);
}

TEST_CASE("calibrate does not replace the model or the description that it reads", "[cli]") {
  const TemporaryFolder folder;
  write_file_atomically(folder / "m.onnx", product(noise({4, 3}, 1)).bytes());
  write_file_atomically(folder / "d.json", "{}");
  const auto before = contents(folder.path());
  for (const char* output : {"m.onnx", "./m.onnx", "d.json"})
    CHECK(run_program(std::string("calibrate m.onnx --data d.json -o ") + output, folder.path())
              .exit_code == 2);
  CHECK(contents(folder.path()) == before);
}

TEST_CASE("layers of an emitted QDQ file are compared with their own counterparts", "[cli]") {
  const TemporaryFolder folder;
  REQUIRE(run_program("quantize " + kFashion + " --data " + kTrain +
                          " --samples 64 --no-report --quiet -o out",
                      folder.path())
              .exit_code == 0);
  const CommandResult result =
      run_program("evaluate out/fashion_mnist_cnn.int8.onnx --reference " + kFashion + " --data " +
                      kTrain + " --samples 64 --layers --json --quiet",
                  folder.path());
  REQUIRE(result.exit_code == 0);
  const auto document = nlohmann::json::parse(result.out);
  CHECK(document.at("layers").size() >= 15);
  // Eight bits leave more than 20 dB; a tensor beside another's counterpart leaves next to nothing.
  for (const auto& layer : document.at("layers")) {
    INFO(layer.dump());
    CHECK(layer.at("sqnr_db").get<double>() > 20);
  }
}

TEST_CASE("other external weights make another model, of its true size", "[cli]") {
  const TemporaryFolder folder;
  save_external(folder.path(), noise({4, 3}, 1));
  const ModelFiles first = model_files(folder / "m.onnx");
  CHECK(first.external == std::vector<std::string>{"w.data"});
  CHECK(first.bytes == static_cast<int64_t>(fs::file_size(folder / "m.onnx")) + 4 * 3 * 4);
  CHECK(model_bytes(folder / "m.onnx") == first.bytes);
  save_external(folder.path(), noise({4, 3}, 2));
  CHECK(model_files(folder / "m.onnx").hash != first.hash);
}

TEST_CASE("the hash of a model in one file is that of the file", "[cli]") {
  const TemporaryFolder folder;
  write_file_atomically(folder / "m.onnx", product(noise({4, 3}, 1)).bytes());
  CHECK(model_files(folder / "m.onnx").hash == sha256_file(folder / "m.onnx"));
  CHECK(model_files(folder / "m.onnx").external.empty());
}

TEST_CASE("a result that cannot be written is an input/output error", "[cli]") {
  const TemporaryFolder folder;
  write_file_atomically(folder / "m.onnx", product(noise({4, 3}, 1)).bytes());
  const std::string full = "/dev/full";
  if (!fs::exists(full)) return;
  // In a subshell, because run_program redirects the output of the last command itself.
  const CommandResult result = run_program(
      "--version >/dev/null; ( '" + program().string() + "' inspect m.onnx >/dev/full )",
      folder.path());
  CHECK(result.exit_code == 6);
  CHECK(result.err.find("standard output") != std::string::npos);
}

TEST_CASE("seeds below zero or too large, and an empty metric command, are refused", "[cli]") {
  const TemporaryFolder folder;
  write_file_atomically(folder / "m.onnx", product(noise({4, 3}, 1)).bytes());
  for (const char* seed : {"-1", "99999999999999999999", "1.5"})
    CHECK(run_program(std::string("bench m.onnx --seconds 0 --seed ") + seed, folder.path())
              .exit_code == 2);
  CHECK(run_program("bench m.onnx --seconds 0 --seed 18446744073709551615", folder.path())
            .exit_code == 0);
  CHECK(run_program("evaluate m.onnx --data d.json --metric-command ''", folder.path()).exit_code ==
        2);
}

TEST_CASE("weights that are no numbers are an invalid model, also without data", "[cli]") {
  const TemporaryFolder folder;
  Tensor weights = noise({4, 3}, 1).clone();
  weights.mutable_as<float>()[5] = std::numeric_limits<float>::quiet_NaN();
  write_file_atomically(folder / "m.onnx", product(weights).bytes());
  const CommandResult result =
      run_program("quantize m.onnx --dynamic --no-report -o out", folder.path());
  CHECK(result.exit_code == 3);
  CHECK(result.err.find("weights must be finite; got NaN or Inf in 'w'") != std::string::npos);
  CHECK_FALSE(fs::exists(folder / "out"));
}

TEST_CASE("a model without outputs is an invalid model", "[cli]") {
  const TemporaryFolder folder;
  ModelBuilder builder = product(noise({4, 3}, 1));
  builder.proto().mutable_graph()->clear_output();
  write_file_atomically(folder / "m.onnx", builder.bytes());
  CHECK(run_program("quantize m.onnx --dynamic --no-report -o out", folder.path()).exit_code == 3);
  CHECK_FALSE(fs::exists(folder / "out"));
}

TEST_CASE("dynamic quantization leaves what a subgraph reads in float", "[cli]") {
  const TemporaryFolder folder;
  ModelBuilder body(13);
  body.output("z");
  body.node("Relu", {"a"}, {"z"});
  ModelBuilder builder(13);
  builder.input("x", {-1, 4}).input("c", {}, DataType::kBool).output("y");
  builder.weight("w", noise({4, 3}, 1));
  builder.node("MatMul", {"x", "w"}, {"a"});
  builder.node("MatMul", {"x", "w"}, {"other"});
  builder.output("other");
  const onnx::GraphProto graph = body.proto().graph();
  builder.node("If", {"c"}, {"y"}).with("then_branch", graph).with("else_branch", graph);
  write_file_atomically(folder / "m.onnx", builder.bytes());
  const CommandResult result =
      run_program("quantize m.onnx --dynamic --no-report -o out", folder.path());
  INFO(result.err);
  CHECK(result.exit_code == 0);
  const std::string plan = read_file(folder / "out/plan.json");
  CHECK(plan.find("read by a subgraph") != std::string::npos);
}

TEST_CASE("a plan to be saved into a missing folder is told before the work", "[cli]") {
  const TemporaryFolder folder;
  const CommandResult result = run_program(
      "quantize " + kFashion + " --data " + kTrain + " --no-report --save-plan none/p.json -o out",
      folder.path());
  CHECK(result.exit_code == 6);
  CHECK_FALSE(fs::exists(folder / "out"));
}

}  // namespace limbeck::test
