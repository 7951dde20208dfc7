#include <catch2/catch_test_macros.hpp>
#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>

#include "lib/base/file.h"
#include "lib/base/schema.h"
#include "tests/support/paths.h"

using namespace limbeck;

namespace {

void write(const std::filesystem::path& path, const std::string& text) {
  std::ofstream(path) << text;
}

/// A folder with the fixture model, its data descriptions, and a recipe of two steps.
void fill(const std::filesystem::path& folder) {
  for (const char* name :
       {"fashion_mnist_cnn.onnx", "fashion_mnist_train.json", "fashion_mnist_test.json"})
    std::filesystem::copy(test::fixture(name), folder / name);
  write(folder / "gate.json", R"({"version": 1, "min": {"agreement": 99.0}})");
  write(folder / "strict.json", R"({"version": 1, "max": {"model_bytes": 1000}})");
  write(folder / "recipe.json", R"({"version": 1, "steps": [
    {"command": "quantize", "arguments": ["fashion_mnist_cnn.onnx"],
     "options": {"data": "fashion_mnist_train.json", "eval": "fashion_mnist_test.json",
                 "eval-samples": 500, "samples": 64, "output": "out",
                 "set": ["tensor:*=minmax", "tensor:image=percentile"]}},
    {"command": "compare", "arguments": ["out/report.json", "out/report.json"],
     "options": {"gate": "gate.json"}}]})");
}

}  // namespace

TEST_CASE("a recipe runs its steps from the recipe's folder", "[cli]") {
  const test::TemporaryFolder folder;
  fill(folder.path());
  const auto result =
      test::run_program("apply '" + (folder / "recipe.json").string() + "' --quiet");
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  CHECK(std::filesystem::exists(folder / "out/fashion_mnist_cnn.int8.onnx"));
  const auto report = parse_json(read_file(folder / "out/report.json"), "report");
  CHECK(report.at("run").at("command") ==
        "limbeck quantize fashion_mnist_cnn.onnx --data=fashion_mnist_train.json "
        "--eval=fashion_mnist_test.json --eval-samples=500 --output=out --samples=64 "
        "'--set=tensor:*=minmax' --set=tensor:image=percentile --quiet");
  const auto plan = parse_json(read_file(folder / "out/plan.json"), "plan");
  CHECK(plan.at("activations").at("image").at("observer") == "percentile");
}

TEST_CASE("a recipe ends with the exit code of the step that fails", "[cli]") {
  const test::TemporaryFolder folder;
  fill(folder.path());
  std::string text = read_file(folder / "recipe.json");
  text = std::regex_replace(text, std::regex("gate\\.json"), "strict.json");
  write(folder / "recipe.json", text);
  const auto result =
      test::run_program("apply '" + (folder / "recipe.json").string() + "' --quiet");
  CHECK(result.exit_code == 7);
}

namespace {

/// Two small steps that need no data: inspect, and compare with a gate that fails.
void fill_small(const std::filesystem::path& folder, const std::string& gate) {
  std::filesystem::copy(test::fixture("fashion_mnist_cnn.onnx"), folder / "m.onnx");
  std::filesystem::copy(test::fixture("report_v1.json"), folder / "report.json");
  write(folder / "gate.json", gate);
  write(folder / "recipe.json", R"({"version": 1, "steps": [
    {"command": "inspect", "arguments": ["m.onnx"]},
    {"command": "inspect", "arguments": ["m.onnx"], "options": {"dump": true}},
    {"command": "compare", "arguments": ["report.json", "report.json"],
     "options": {"gate": "gate.json"}}]})");
}

}  // namespace

TEST_CASE("apply --json prints one document with what every step says", "[cli]") {
  const test::TemporaryFolder folder;
  fill_small(folder.path(), R"({"version": 1, "max_drop": {"top1": 1}})");
  const auto result = test::run_program("apply recipe.json --json --quiet", folder.path());
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  const auto document = nlohmann::json::parse(result.out);
  REQUIRE(document.at("steps").size() == 3);
  CHECK(document.at("steps")[0].at("command") == "inspect");
  CHECK(document.at("steps")[0].at("exit_code") == 0);
  CHECK(document.at("steps")[0].at("result").at("model") == "m.onnx");
  CHECK(document.at("steps")[1].at("text").get<std::string>().find("input image") == 0);
  CHECK(document.at("steps")[2].at("result").at("passed") == true);
}

TEST_CASE("apply --json prints its document although a step fails", "[cli]") {
  const test::TemporaryFolder folder;
  fill_small(folder.path(), R"({"version": 1, "max": {"model_bytes": 1}})");
  const auto result = test::run_program("apply recipe.json --json --quiet", folder.path());
  CHECK(result.exit_code == 7);
  const auto last = nlohmann::json::parse(result.out).at("steps").back();
  CHECK(last.at("exit_code") == 7);
  CHECK(last.at("error").get<std::string>().find("gate failed: gate.json") == 0);
  CHECK(last.at("result").at("passed") == false);
}

TEST_CASE("the example of the recipe page follows the schema", "[cli][docs]") {
  const std::string page = read_file(test::source_dir() / "docs/formats/recipe.md");
  const size_t start = page.find("```json") + 7;
  const std::string example = page.substr(start, page.find("```", start) - start);
  validate_json(parse_json(example, "recipe.md"), "recipe", "recipe.md");
}
