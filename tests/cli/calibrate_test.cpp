#include <sys/resource.h>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "lib/base/error.h"
#include "lib/base/file.h"
#include "tests/support/paths.h"

using namespace limbeck;
using namespace limbeck::test;
using Catch::Matchers::ContainsSubstring;

namespace {

const std::string kData = " --data '" + fixture("fashion_mnist_train.json").string() + "'";
const std::string kModel = "'" + fixture("fashion_mnist_cnn.onnx").string() + "'";

CommandResult calibrate(const std::string& arguments, const TemporaryFolder& folder) {
  return run_program("calibrate " + kModel + arguments + " --quiet", folder.path());
}

void check_failure(const CommandResult& result, Category category, const std::string& text) {
  CHECK(result.exit_code == exit_code(category));
  CHECK_THAT(result.err, ContainsSubstring(text));
}

}  // namespace

TEST_CASE("calibrate shows its options and examples", "[cli]") {
  const CommandResult help = run_program("calibrate --help");
  CHECK(help.exit_code == 0);
  for (const auto& word : {"--data", "--samples", "--seed", "--threads", "--quiet", "--json",
                           "--output", "Examples:", "limbeck calibrate model.onnx"})
    CHECK_THAT(help.out, ContainsSubstring(word));
}

TEST_CASE("calibrate refuses to invent inputs", "[cli]") {
  const TemporaryFolder folder;
  const CommandResult result = calibrate(" -o t.calib", folder);
  check_failure(result, Category::kUsage, "limbeck never invents them");
  check_failure(result, Category::kUsage, "pass it with --data");
  CHECK(std::filesystem::is_empty(folder.path()));
}

TEST_CASE("calibrate names what is wrong with its arguments", "[cli]") {
  const TemporaryFolder folder;
  check_failure(calibrate(kData + " -o missing/t.calib", folder), Category::kIo,
                "the folder of a file to write must exist");
  check_failure(calibrate(kData + " -o t.calib --samples 0", folder), Category::kUsage,
                "--samples");
  check_failure(calibrate(kData, folder), Category::kUsage, "--output");
  check_failure(calibrate(" --data missing.json -o t.calib", folder), Category::kIo,
                "missing.json");
  check_failure(run_program("calibrate missing.onnx --data d.json -o t.calib", folder.path()),
                Category::kIo, "missing.onnx");
  CHECK(std::filesystem::is_empty(folder.path()));
}

TEST_CASE("calibrate describes its table in JSON", "[cli]") {
  const TemporaryFolder folder;
  const CommandResult result = calibrate(kData + " -o t.calib --samples 9 --seed 4 --json", folder);
  REQUIRE(result.exit_code == 0);
  const auto json = nlohmann::json::parse(result.out);
  CHECK(json.at("table") == "t.calib");
  CHECK(json.at("samples") == 9);
  CHECK(json.at("seed") == 4);
  CHECK(json.at("model_hash") == sha256_file(fixture("fashion_mnist_cnn.onnx")));
  CHECK(json.at("data_hash").get<std::string>().size() == 64);
  const auto& image = json.at("tensors").at("image");
  CHECK(image.at("min").get<float>() < image.at("max").get<float>());
}

TEST_CASE("calibrate writes the same bytes with any number of threads", "[cli]") {
  const TemporaryFolder folder;
  for (const auto& threads : {"1", "2", "5"}) {
    const std::string table = std::string("t") + threads;
    REQUIRE(calibrate(kData + " --samples 40 --threads " + threads + " -o " + table, folder)
                .exit_code == 0);
    CHECK(read_file(folder / table) == read_file(folder / "t1"));
  }
}

TEST_CASE("quantize with a table equals quantize with the data", "[cli]") {
  const TemporaryFolder folder;
  REQUIRE(calibrate(kData + " --samples 24 -o t.calib", folder).exit_code == 0);
  for (const auto& options :
       {"", " --observer entropy", " --activations int16", " --weights int4"}) {
    INFO(options);
    const std::string common = "quantize " + kModel + options + " --no-report --quiet -o ";
    REQUIRE(run_program(common + "direct --samples 24" + kData, folder.path()).exit_code == 0);
    REQUIRE(run_program(common + "table --calibration t.calib", folder.path()).exit_code == 0);
    size_t compared = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder / "direct")) {
      CHECK(read_file(entry.path()) == read_file(folder / "table" / entry.path().filename()));
      ++compared;
    }
    CHECK(compared >= 2);
    std::filesystem::remove_all(folder / "direct");
    std::filesystem::remove_all(folder / "table");
  }
}

TEST_CASE("quantize refuses the table of another model", "[cli]") {
  const TemporaryFolder folder;
  const CommandResult result =
      run_program("quantize " + kModel + " --no-report -o out --calibration '" +
                      fixture("calibration_v1.calib").string() + "'",
                  folder.path());
  check_failure(result, Category::kUsage, "belongs to the model it was made from");
  CHECK(std::filesystem::is_empty(folder.path()));
}

TEST_CASE("calibrating on 4096 samples takes the memory of 256", "[cli][slow]") {
  const auto model = large_data("models/cifar10_resnet20.onnx");
  const auto images = large_data("cifar10/train.zip");
  if (!model || !images) return;
  const TemporaryFolder folder;
  const nlohmann::json description = {{"version", 1},     {"kind", "images"}, {"path", *images},
                                      {"input", "image"}, {"layout", "NCHW"}, {"color", "RGB"}};
  write_file_atomically(folder / "data.json", description.dump());
  // The largest child so far; this case runs in a process of its own.
  const auto peak = [&](const std::string& samples) {
    const std::string command = "calibrate '" + model->string() +
                                "' --data data.json -o t.calib --quiet --threads 2 --samples ";
    REQUIRE(run_program(command + samples, folder.path()).exit_code == 0);
    struct rusage usage {};
    getrusage(RUSAGE_CHILDREN, &usage);
    return static_cast<double>(usage.ru_maxrss);
  };
  // A short run may end before both threads were at their peak at once; the largest of three runs
  // did not.
  double few = 0;
  for (int i = 0; i < 3; ++i) few = peak("256");
  CHECK(peak("4096") <= 1.05 * few);
}
