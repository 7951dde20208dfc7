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

TEST_CASE("the example of the recipe page follows the schema", "[cli][docs]") {
  const std::string page = read_file(test::source_dir() / "docs/formats/recipe.md");
  const size_t start = page.find("```json") + 7;
  const std::string example = page.substr(start, page.find("```", start) - start);
  validate_json(parse_json(example, "recipe.md"), "recipe", "recipe.md");
}
