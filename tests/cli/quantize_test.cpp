// The quantize command by what it leaves on disk.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "lib/base/file.h"
#include "lib/base/schema.h"
#include "lib/data/dataset.h"
#include "lib/model/model.h"
#include "tests/support/paths.h"

using namespace limbeck;
using test::CommandResult;
using test::fixture;
using test::run_program;
using test::TemporaryFolder;

namespace {

const std::string kModel = "'" + fixture("fashion_mnist_cnn.onnx").string() + "'";
const std::string kData = " --data '" + fixture("fashion_mnist_train.json").string() + "'";
const std::string kQuantize = "quantize " + kModel + " --quiet ";
const std::string kEmitted = "fashion_mnist_cnn.int8.onnx";

void run(const std::string& arguments, const TemporaryFolder& folder) {
  const CommandResult result = run_program(arguments, folder.path());
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
}

nlohmann::json read_json(const std::filesystem::path& path) {
  return parse_json(read_file(path), path.string());
}

}  // namespace

TEST_CASE("a plan fed back with its data or its table gives the same bytes", "[cli]") {
  const TemporaryFolder folder;
  run("calibrate " + kModel + kData + " --samples 24 --seed 5 --quiet -o t.calib", folder);
  run(kQuantize + "--no-report --samples 24 --seed 5 -o first" + kData, folder);
  const std::string again = kQuantize + "--no-report --plan first/plan.json ";
  run(again + "-o data" + kData, folder);
  run(again + "-o table --calibration t.calib", folder);
  for (const char* file : {"fashion_mnist_cnn.int8.onnx", "plan.json"}) {
    INFO(file);
    CHECK(read_file(folder / "first" / file) == read_file(folder / "data" / file));
    CHECK(read_file(folder / "first" / file) == read_file(folder / "table" / file));
  }
}

TEST_CASE("a plan that corrects biases is refused without activations to take means of", "[cli]") {
  const TemporaryFolder folder;
  run(kQuantize + "--no-report --samples 8 -o out" + kData, folder);
  const std::string again = kQuantize + "--no-report --plan out/plan.json -o again";
  const CommandResult refused = run_program(again, folder.path());
  CHECK(refused.exit_code == 2);
  CHECK(refused.err.find("\"correct_bias\"") != std::string::npos);
  CHECK_FALSE(std::filesystem::exists(folder / "again"));
  nlohmann::json plan = read_json(folder / "out/plan.json");
  plan["correct_bias"] = false;
  write_file_atomically(folder / "out/plan.json", plan.dump());
  run(again, folder);
  CHECK(std::filesystem::exists(folder / "again" / kEmitted));
}

TEST_CASE("a node that a plan's editor sets to float computes in float", "[cli]") {
  const TemporaryFolder folder;
  run(kQuantize + "--no-report --samples 8 -o out" + kData, folder);
  nlohmann::json plan = read_json(folder / "out/plan.json");
  const std::string node = plan.at("weights").begin().key();
  plan["nodes"][node]["integer"] = false;
  write_file_atomically(folder / "edited.json", plan.dump());
  run(kQuantize + "--no-report --plan edited.json -o edited" + kData, folder);
  const auto quantized_weights = [&](const std::string& path) {
    const Model model = load_model(folder / path / kEmitted);
    const std::vector<Value*> values = model.graph.values();
    return std::count_if(values.begin(), values.end(), [](const Value* value) {
      const Tensor* constant = value->constant();
      return constant != nullptr && constant->type() == DataType::kInt8 && constant->rank() > 1;
    });
  };
  CHECK(quantized_weights("edited") == quantized_weights("out") - 1);
}

TEST_CASE("samples held out beside a plan are none that its ranges were observed on", "[cli]") {
  const TemporaryFolder folder;
  constexpr int kSize = 100;
  std::string images("\0\0\x08\x03\0\0\0\x64\0\0\0\x1c\0\0\0\x1c", 16);
  for (int i = 0; i < kSize * 784; ++i) images += static_cast<char>(i * 7 % 251);
  write_file_atomically(folder / "images.idx", images);
  write_file_atomically(folder / "few.json",
                        R"({"version": 1, "kind": "idx", "path": "images.idx"})");
  const std::string data = " --data few.json";
  run(kQuantize + "--no-report --samples 16 --seed 3 -o out" + data, folder);
  run(kQuantize + "--plan out/plan.json --seed 9 -o again" + data, folder);
  std::set<int64_t> used;
  for (const uint64_t seed : {3U, 9U}) {
    for (const int64_t index : sample_order(kSize, 16, seed)) used.insert(index);
  }
  const nlohmann::json report = read_json(folder / "again/report.json");
  CHECK(report.at("evaluation").at("metrics").at("samples") ==
        kSize - static_cast<int>(used.size()));
  CHECK(used.size() > 16);
}

TEST_CASE("the file's name tells what the plan holds", "[cli]") {
  const TemporaryFolder folder;
  run(kQuantize + "--no-report --samples 8 -o out --set 'node:*=int4'" + kData, folder);
  CHECK(std::filesystem::exists(folder / "out/fashion_mnist_cnn.w4a8.onnx"));
  nlohmann::json plan = read_json(folder / "out/plan.json");
  plan["weights"].begin().value()["type"] = "int8";
  write_file_atomically(folder / "edited.json", plan.dump());
  run(kQuantize + "--no-report --plan edited.json -o edited" + kData, folder);
  CHECK(std::filesystem::exists(folder / "edited/fashion_mnist_cnn.mixed.onnx"));
}

TEST_CASE("4-bit activations are asked for beside 4-bit weights", "[cli]") {
  const TemporaryFolder folder;
  run(kQuantize + "--no-report --samples 8 -o out --weights int4 --activations uint4" + kData,
      folder);
  CHECK(std::filesystem::exists(folder / "out/fashion_mnist_cnn.mixed.onnx"));
  const nlohmann::json plan = read_json(folder / "out/plan.json");
  const auto count = [&](const char* part, const char* type) {
    return std::count_if(plan.at(part).begin(), plan.at(part).end(),
                         [&](const nlohmann::json& item) { return item.at("type") == type; });
  };
  CHECK(count("weights", "int8") == 2);
  CHECK(count("weights", "int4") > 2);
  CHECK(count("activations", "uint4") > 2);
  run(kQuantize + "--no-report --plan out/plan.json -o again" + kData, folder);
  CHECK(read_file(folder / "out/fashion_mnist_cnn.mixed.onnx") ==
        read_file(folder / "again/fashion_mnist_cnn.mixed.onnx"));
}

TEST_CASE("uint8 weights measure as int8 weights do, sample by sample", "[cli]") {
  const TemporaryFolder folder;
  const std::string measured = " --samples 16 --eval-samples 100" + kData;
  for (const std::string form : {"int8", "uint8", "uint8 --format qoperator"}) {
    const std::string output = form.size() > 5 ? "qoperator" : form;
    run(kQuantize + "-o " + output + " --weights " + form + measured, folder);
  }
  const nlohmann::json signed_report = read_json(folder / "int8/report.json");
  const nlohmann::json unsigned_report = read_json(folder / "uint8/report.json");
  CHECK(std::filesystem::exists(folder / "uint8/fashion_mnist_cnn.int8.onnx"));
  CHECK(unsigned_report.at("records") == signed_report.at("records"));
  CHECK(unsigned_report.at("headline").at("integer_mac_share") ==
        signed_report.at("headline").at("integer_mac_share"));
  CHECK(read_json(folder / "qoperator/report.json").at("evaluation").at("metrics").at("top1") ==
        signed_report.at("evaluation").at("metrics").at("top1"));
  const nlohmann::json plan = read_json(folder / "uint8/plan.json");
  for (const auto& planned : plan.at("weights")) CHECK(planned.at("type") == "uint8");
}

TEST_CASE("a quantized model is not quantized again", "[cli]") {
  const TemporaryFolder folder;
  run(kQuantize + "--no-report --samples 8 -o out" + kData, folder);
  const CommandResult result = run_program(
      "quantize out/" + kEmitted + " --quiet --no-report -o twice" + kData, folder.path());
  CHECK(result.exit_code == 4);
  CHECK(result.err.find("a float model is needed; got a quantized model") != std::string::npos);
  CHECK_FALSE(std::filesystem::exists(folder / "twice"));
}

TEST_CASE("a run that fails after the model was written leaves nothing", "[cli]") {
  const TemporaryFolder folder;
  const CommandResult result =
      run_program(kQuantize + "--samples 8 --eval-samples 8 --metric-command false -o out" + kData,
                  folder.path());
  CHECK(result.exit_code != 0);
  CHECK_FALSE(std::filesystem::exists(folder / "out"));
}

TEST_CASE("a run that fails leaves the plan that it was given, also in its own folder", "[cli]") {
  const TemporaryFolder folder;
  run(kQuantize + "--no-report --samples 8 -o out" + kData, folder);
  nlohmann::json edited = read_json(folder / "out/plan.json");
  edited["target"] = {{"device", "mine"}};
  const std::string plan = edited.dump();
  write_file_atomically(folder / "out/plan.json", plan);
  const CommandResult result = run_program(
      kQuantize + "--plan out/plan.json --eval-samples 8 --metric-command false -o out" + kData,
      folder.path());
  CHECK(result.exit_code != 0);
  CHECK(read_file(folder / "out/plan.json") == plan);
}
