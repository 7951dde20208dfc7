#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_floating_point.hpp>
#include <nlohmann/json.hpp>

#include "lib/base/file.h"
#include "tests/support/model_builder.h"
#include "tests/support/paths.h"

using namespace limbeck;
using namespace limbeck::test;
using Catch::Matchers::WithinRel;

namespace {

CommandResult run_bench(int64_t batch, const std::string& options) {
  const TemporaryFolder folder;
  ModelBuilder builder(13);
  builder.input("x", {batch, 4}).output("y").weight("w", noise({4, 3}, 1));
  builder.node("MatMul", {"x", "w"}, {"y"});
  write_file_atomically(folder / "m.onnx", builder.bytes());
  return run_program("bench m.onnx --seconds 0 --json " + options, folder.path());
}

nlohmann::json bench(int64_t batch, const std::string& options) {
  const CommandResult result = run_bench(batch, options);
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  return nlohmann::json::parse(result.out);
}

void check_rate(const nlohmann::json& result, int64_t batch) {
  CHECK(result.at("batch") == batch);
  const double median = result.at("median_ms");
  CHECK_THAT(result.at("samples_per_second").get<double>(),
             WithinRel(1000.0 * static_cast<double>(batch) / median, 1e-9));
}

}  // namespace

TEST_CASE("bench --json tells samples per second", "[cli]") {
  check_rate(bench(-1, ""), 1);
  check_rate(bench(-1, "--batch 8"), 8);
}

TEST_CASE("bench counts the samples of a model of fixed batch size", "[cli]") {
  check_rate(bench(5, "--batch 8"), 5);
}

TEST_CASE("bench --training times steps over the whole batch", "[cli]") {
  const auto result = bench(-1, "--training --batch 21 --threads 2");
  check_rate(result, 21);
  CHECK(!result.contains("integer_mac_share"));
}

TEST_CASE("bench --training times steps with fake quantization", "[cli][qat]") {
  for (const char* format : {"int8", "w4a4"})
    check_rate(bench(-1, std::string("--training --batch 8 --quantized ") + format), 8);
  CHECK(run_bench(-1, "--quantized int8").exit_code == 2);
}

TEST_CASE("bench --training times steps in bfloat16", "[cli]") {
  check_rate(bench(-1, "--training --batch 8 --bf16"), 8);
  CHECK(run_bench(-1, "--bf16").exit_code == 2);
  CHECK(run_bench(-1, "--training --bf16 --quantized int8").exit_code == 2);
}

TEST_CASE("bench --training refuses a model of fixed batch size", "[cli]") {
  const CommandResult result = run_bench(5, "--training --batch 8");
  CHECK(result.exit_code == 4);
  CHECK(result.err.find("the first dimension must be open") != std::string::npos);
}
