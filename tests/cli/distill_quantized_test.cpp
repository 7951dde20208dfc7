// Students that are their teacher, quantized, by what the distill command leaves on disk.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <string>
#include <vector>

#include "lib/base/file.h"
#include "lib/base/schema.h"
#include "lib/model/model.h"
#include "lib/quantize/plan.h"
#include "tests/support/band_images.h"
#include "tests/support/paths.h"
#include "tests/support/plan_support.h"

namespace limbeck::test {
namespace {

namespace fs = std::filesystem;

void write_bands(const fs::path& folder) {
  write_band_images(folder, 96);
  write_file_atomically(folder / "r.json",
                        R"({"epochs": 1, "batch": 32, "validation": {"samples": 32}})");
  fs::copy(fixture("fashion_mnist_cnn.onnx"), folder / "t.onnx");
}

std::string distill(const std::string& format) {
  return "distill --teacher t.onnx --student quantized:" + format +
         " --data data.json --recipe r.json --quiet ";
}

CommandResult run_in(const TemporaryFolder& folder, const std::string& arguments) {
  CommandResult result = run_program(arguments, folder.path());
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  return result;
}

nlohmann::json json_file(const fs::path& path) {
  return parse_json(read_file(path), path.string());
}

}  // namespace

TEST_CASE("distill leaves a quantized student, what it was before, and its plan", "[cli][qat]") {
  const TemporaryFolder folder;
  write_bands(folder.path());
  const auto result = run_in(folder, distill("w4a4") + "--json -o out");
  CHECK(nlohmann::json::parse(result.out).at("model") == "out/t.w4a4.onnx");
  std::vector<std::string> files;
  for (const auto& entry : fs::directory_iterator(folder / "out"))
    files.push_back(entry.path().filename().string());
  std::sort(files.begin(), files.end());
  CHECK(files == std::vector<std::string>{"plan.json", "report.html", "report.json",
                                          "t.w4a4-untrained.onnx", "t.w4a4.onnx", "train.jsonl"});
  const auto report = json_file(folder / "out/report.json");
  validate_json(report, "distill_report", "report.json");
  CHECK(report.at("files").at("student").at("name") == "t.w4a4-untrained.onnx");
  CHECK(report.at("files").at("model").at("name") == "t.w4a4.onnx");
  CHECK(report.at("recipe").at("losses").size() == 1);
  CHECK(report.at("recipe").at("optimizer").at("method") == "adam");
  CHECK(report.at("evaluation").contains("teacher"));
  const Plan plan = plan_from_json(json_file(folder / "out/plan.json"), "plan.json");
  CHECK(plan.calibration.samples == 64);  // those that are not held out
  const Model model = load_model(folder / "out/t.w4a4.onnx");
  const Model untrained = load_model(folder / "out/t.w4a4-untrained.onnx");
  CHECK(count_ops(model, "QuantizeLinear") == plan.activations.size());
  CHECK(count_ops(model, "QuantizeLinear") == count_ops(untrained, "QuantizeLinear"));
  const auto narrow = std::find_if(plan.activations.begin(), plan.activations.end(),
                                   [](auto& item) { return item.second.type == DataType::kUint4; });
  REQUIRE(narrow != plan.activations.end());
  const std::string scale =
      (narrow->second.group.empty() ? narrow->first : narrow->second.group) + "_scale";
  CHECK(constant(model, scale).to_float() != constant(untrained, scale).to_float());
}

TEST_CASE("a quantized student is the same bytes on any number of threads", "[cli][qat]") {
  const TemporaryFolder folder;
  write_bands(folder.path());
  run_in(folder, distill("int8") + "--threads 1 -o one");
  run_in(folder, distill("int8") + "--threads 3 -o three");
  for (const char* name : {"t.int8.onnx", "t.int8-untrained.onnx", "plan.json", "train.jsonl"})
    CHECK(read_file(folder / "one" / name) == read_file(folder / "three" / name));
}

TEST_CASE("distill tells what is wrong with a quantized student", "[cli][qat]") {
  const TemporaryFolder folder;
  write_bands(folder.path());
  write_file_atomically(folder / "b.json", R"({"precision": "bf16"})");
  run_in(folder, "quantize t.onnx --data data.json --no-report --samples 8 --quiet -o q");
  struct Mistake {
    std::string arguments;
    int exit_code;
    std::string message;
  };
  const std::vector<Mistake> mistakes = {
      {distill("w3a8") + "-o out", 2,
       "usage: student quantized:FORMAT: the format of a quantized student must exist; got "
       "'w3a8'. Next: use one of int8, w4a8, w4a4, w2a8"},
      {"distill --student quantized:int8 --data data.json -o out", 2,
       "usage: limbeck distill: a student is quantized from its teacher: --teacher or "
       "\"teacher\". Next: see limbeck distill --help"},
      {"distill --teacher t.onnx --student quantized:int8 --data data.json --recipe b.json -o out",
       2,
       "usage: limbeck distill: a quantized student trains in the arithmetic of its file: no "
       "\"precision\". Next: see limbeck distill --help"},
      {"distill --teacher q/t.int8.onnx --student quantized:int8 --data data.json --quiet -o out",
       4, "unsupported: teacher: a float model is needed"},
  };
  for (const Mistake& mistake : mistakes) {
    INFO("limbeck " << mistake.arguments);
    const CommandResult result = run_program(mistake.arguments, folder.path());
    CHECK(result.exit_code == mistake.exit_code);
    CHECK(result.err.starts_with("limbeck: " + mistake.message));
    CHECK_FALSE(fs::exists(folder / "out/t.int8.onnx"));
  }
}

}  // namespace limbeck::test
