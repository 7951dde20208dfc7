#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>
#include <string>

#include "lib/base/schema.h"
#include "tests/support/example_report.h"

using namespace limbeck;
using limbeck::test::example_inputs;
using nlohmann::ordered_json;

namespace {

void check_schema(const ordered_json& report) {
  CHECK_NOTHROW(validate_json(nlohmann::json::parse(report.dump()), "report", "report"));
}

CalibrationTable table_of(const std::vector<std::string>& tensors) {
  CalibrationTable table;
  for (const std::string& tensor : tensors) {
    table.tensors[tensor].add(std::vector<float>{-1.0F, 0.0F, 0.5F, 3.0F});
  }
  return table;
}

}  // namespace

TEST_CASE("a report follows its schema", "[report]") {
  check_schema(make_report(example_inputs()));
}

TEST_CASE("a report holds the paired statistics of reference and model", "[report]") {
  const ordered_json report = make_report(example_inputs());
  const ordered_json& paired = report["evaluation"]["paired"];
  // One sample of ten is right in the reference only: twice the tail of one fair coin, which is 1.
  CHECK(paired["samples"] == 10);
  CHECK(paired["only_reference_correct"] == 1);
  CHECK(paired["only_model_correct"] == 0);
  CHECK(paired["top1_change"] == -10.0);
  CHECK(paired["p_value"] == 1.0);
  CHECK(paired["significant"] == false);
  // One loss of 0.25 becomes 2: 1.75 over ten samples.
  CHECK(paired["loss_change"].get<double>() == Catch::Approx(0.175));
  CHECK(report["headline"]["judgement"] == "noise");
  CHECK(report["headline"]["verdict"] ==
        "Top-1 falls by 10.00 points, from 90.00 % to 80.00 % on 10 samples; that is within noise "
        "(McNemar p = 1.00).");
}

TEST_CASE("a significant loss is called real", "[report]") {
  ReportInputs inputs = example_inputs();
  inputs.evaluation.reference_records = test::records("1111111111");
  inputs.evaluation.records = test::records("1111000000");
  inputs.evaluation.reference = test::metrics_of(inputs.evaluation.reference_records);
  inputs.evaluation.metrics = test::metrics_of(inputs.evaluation.records);
  const ordered_json report = make_report(inputs);
  // Six samples lost, none won: 2 * (1/2)^6.
  CHECK(report["evaluation"]["paired"]["p_value"] == 0.03125);
  CHECK(report["headline"]["judgement"] == "loss");
  CHECK(
      report["headline"]["verdict"] ==
      "Top-1 falls by 60.00 points, from 100.00 % to 40.00 % on 10 samples; the loss is real, not "
      "noise (McNemar p = 0.031).");
}

TEST_CASE("without labels a report tells agreement and judges no accuracy", "[report]") {
  ReportInputs inputs = example_inputs();
  inputs.evaluation.records.clear();
  inputs.evaluation.reference_records.clear();
  inputs.evaluation.reference = Metrics();
  Metrics& metrics = inputs.evaluation.metrics;
  metrics.top1.reset();
  metrics.top1_interval.reset();
  metrics.loss.reset();
  const ordered_json report = make_report(inputs);
  check_schema(report);
  CHECK_FALSE(report["evaluation"].contains("paired"));
  CHECK(report["records"].empty());
  CHECK(report["headline"]["judgement"] == "unknown");
  CHECK(
      report["headline"]["verdict"] ==
      "The model answers like its FP32 reference on 90.00 % of 10 samples (95 % interval 59.60 to "
      "98.20); without labels accuracy itself is not judged.");
}

TEST_CASE("a report of a model alone follows the schema", "[report]") {
  ReportInputs inputs;
  inputs.model = {"net.onnx", std::string(64, 'b'), 12000};
  inputs.evaluation.metrics.samples = 3;
  const ordered_json report = make_report(inputs);
  check_schema(report);
  CHECK_FALSE(report["files"].contains("reference"));
  CHECK_FALSE(report["quantization"].contains("calibration"));
  CHECK(report["layers"].empty());
  CHECK(report["histograms"].empty());
  CHECK(report["headline"]["verdict"] ==
        "The model ran on 3 samples; without labels or an FP32 reference nothing is judged.");
}

TEST_CASE("only the run differs from run to run", "[report]") {
  ReportInputs inputs = example_inputs();
  ordered_json first = make_report(inputs);
  inputs.run = current_run("limbeck quantize other.onnx", "2027-01-01T00:00:00Z", 99, 7);
  ordered_json second = make_report(inputs);
  CHECK(first["run"] != second["run"]);
  first.erase("run");
  second.erase("run");
  CHECK(first.dump() == second.dump());
}

TEST_CASE("the current run knows its machine and its memory", "[report]") {
  const RunInfo run = current_run("limbeck x", "2026-01-01T00:00:00Z", 1.5, 2);
  CHECK(run.command == "limbeck x");
  CHECK(run.threads == 2);
  CHECK(current_run("limbeck x", "2026-01-01T00:00:00Z", 1.5, 0).threads >= 1);
  CHECK(run.host.find("Linux") != std::string::npos);
  CHECK(run.peak_memory_bytes > 1000000);
}

TEST_CASE("records are stored in columns", "[report]") {
  const ordered_json report = make_report(example_inputs());
  const ordered_json& records = report["records"]["model"];
  CHECK(records["correct"] == "1111111100");
  CHECK(records["index"].dump() == "[0,1,2,3,4,5,6,7,8,9]");
  CHECK(records["loss"][0] == 0.25);
  CHECK(records["loss"][9] == 2.0);
}

TEST_CASE("the plan is summed up by format", "[report]") {
  const ordered_json report = make_report(example_inputs());
  const ordered_json& plan = report["quantization"]["plan"];
  CHECK(plan["integer_nodes"] == 1);
  CHECK(plan["weights"].dump() == R"({"int8":1})");
  CHECK(plan["activations"].dump() == R"({"uint8":2})");
  CHECK(plan["float_nodes"].dump() == R"([{"node":"n1","op":"Gemm","reason":"by the user"}])");
  CHECK(report["layers"][1]["type"] == "uint8");
  CHECK(report["layers"][2]["type"] == "float");
}

TEST_CASE("histograms are those of the layers of least SQNR, worst first", "[report]") {
  ReportInputs inputs = example_inputs();
  const CalibrationTable table = table_of({"image", "conv1", "scores", "not a layer"});
  inputs.table = &table;
  const ordered_json report = make_report(inputs);
  check_schema(report);
  const ordered_json& histograms = report["histograms"];
  REQUIRE(histograms.size() == 3);
  CHECK(histograms[0]["tensor"] == "conv1");
  CHECK(histograms[1]["tensor"] == "scores");
  CHECK(histograms[2]["tensor"] == "image");
  CHECK(histograms[0]["counts"].size() == 64);
  CHECK(histograms[0]["values"] == 4);
  CHECK(histograms[0]["range"]["high"] == 2.5);
  // 3.0 lies above the range of -1 to 2.5: one value of four.
  CHECK(histograms[0]["clipped_share"] == 0.25);
  CHECK_FALSE(histograms[1].contains("range"));
}

TEST_CASE("a report holds at most eight histograms", "[report]") {
  ReportInputs inputs = example_inputs();
  inputs.evaluation.layers.clear();
  std::vector<std::string> names;
  for (int i = 0; i < 12; ++i) {
    names.push_back("layer" + std::to_string(i));
    inputs.evaluation.layers.push_back({names.back(), names.back(), "Conv", 50.0 - i, 1, 0});
  }
  const CalibrationTable table = table_of(names);
  inputs.table = &table;
  const ordered_json histograms = make_report(inputs)["histograms"];
  REQUIRE(histograms.size() == 8);
  CHECK(histograms[0]["tensor"] == "layer11");
  CHECK(histograms[7]["tensor"] == "layer4");
}

TEST_CASE("names that are no UTF-8 do not break a report", "[report]") {
  ReportInputs inputs = example_inputs();
  inputs.evaluation.layers[0].tensor = "bad\xFFname";
  const ordered_json report = make_report(inputs);
  CHECK(report["layers"][0]["tensor"] == "bad\xEF\xBF\xBDname");
  CHECK_NOTHROW(report.dump());
}
