// distill with a student that is made from its teacher.
#include <catch2/catch_test_macros.hpp>
#include <filesystem>

#include "lib/base/file.h"
#include "lib/base/schema.h"
#include "lib/model/model.h"
#include "tests/support/band_images.h"
#include "tests/support/data_files.h"
#include "tests/support/paths.h"

namespace limbeck::test {
namespace {

namespace fs = std::filesystem;

void write_job(const fs::path& folder) {
  write_band_images(folder, 96);
  write_file(folder / "r.json",
             R"({"teacher": "t.onnx", "student": "shrink:macs=0.4,samples=32", "data": "data.json",
                 "epochs": 1, "batch": 32, "validation": {"samples": 32},
                 "schedule": {"learning_rate": 0.01}})");
  fs::copy(fixture("fashion_mnist_cnn.onnx"), folder / "t.onnx");
}

CommandResult run_job(const std::string& arguments, const TemporaryFolder& folder) {
  return run_program("distill --quiet --recipe r.json " + arguments, folder.path());
}

}  // namespace

TEST_CASE("distill shrinks a teacher, trains the student, and reports the widths", "[cli]") {
  const TemporaryFolder folder;
  write_job(folder.path());
  const CommandResult result = run_job("-o out", folder);
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  const fs::path out = folder / "out";
  CHECK(fs::file_size(out / "t.shrunk.onnx") < fs::file_size(folder / "t.onnx"));
  const Model student = load_model(out / "t.shrunk.distilled.onnx");
  const nlohmann::json report = parse_json(read_file(out / "report.json"), "report.json");
  validate_json(report, "distill_report", "report.json");
  const nlohmann::json& shrink = report.at("shrink");
  CHECK(shrink.at("options") == "macs=0.4,samples=32");
  const double share = shrink.at("macs")[1].get<double>() / shrink.at("macs")[0].get<double>();
  CHECK(share <= 0.4 * 1.03);
  CHECK(share >= 0.4 * 0.97);
  CHECK(shrink.at("macs")[1] == report.at("files").at("model").at("macs"));
  const nlohmann::json& first = shrink.at("layers")[0];
  CHECK(first.at("inputs") == nlohmann::json({1, 1}));
  CHECK(first.at("outputs")[1] == student.graph.find("0.0.weight")->constant()->dim(0));
  CHECK(read_file(out / "report.html").find("<h2>Widths</h2>") != std::string::npos);
}

TEST_CASE("distill gives the same shrunk student on any number of threads", "[cli]") {
  const TemporaryFolder folder;
  write_job(folder.path());
  REQUIRE(run_job("--threads 1 -o one", folder).exit_code == 0);
  REQUIRE(run_job("--threads 3 -o three", folder).exit_code == 0);
  for (const char* name : {"t.shrunk.onnx", "t.shrunk.distilled.onnx"})
    CHECK(read_file(folder.path() / "one" / name) == read_file(folder.path() / "three" / name));
}

TEST_CASE("distill tells what is wrong with a student to be shrunk", "[cli]") {
  const TemporaryFolder folder;
  write_job(folder.path());
  const CommandResult unknown = run_job("--student shrink:depth=3 -o out", folder);
  CHECK(unknown.exit_code == 2);
  CHECK(unknown.err.starts_with("limbeck: usage: student shrink: it must be a list of key=value"));
  const CommandResult far = run_job("--student shrink:macs=0.0001 -o out", folder);
  CHECK(far.exit_code == 2);
  CHECK(far.err.starts_with("limbeck: usage: shrink: channels alone must reach the target"));
  CHECK_FALSE(fs::exists(folder / "out"));
  write_file(folder / "r.json", R"({"student": "shrink:macs=0.5", "data": "data.json"})");
  const CommandResult alone = run_job("-o out", folder);
  CHECK(alone.exit_code == 2);
  CHECK(alone.err.find("a student is shrunk from its teacher: --teacher") != std::string::npos);
}

}  // namespace limbeck::test
