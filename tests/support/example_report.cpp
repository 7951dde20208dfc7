#include "tests/support/example_report.h"

#include "lib/evaluate/statistics.h"

namespace limbeck::test {

std::vector<SampleRecord> records(const std::string& correct) {
  std::vector<SampleRecord> result;
  for (const char c : correct) {
    result.push_back({static_cast<int64_t>(result.size()), c == '1', c == '1' ? 0.25 : 2.0});
  }
  return result;
}

Metrics metrics_of(const std::vector<SampleRecord>& records) {
  Metrics metrics;
  metrics.samples = static_cast<int64_t>(records.size());
  int64_t hits = 0;
  double loss = 0;
  for (const SampleRecord& record : records) {
    hits += record.correct ? 1 : 0;
    loss += record.loss;
  }
  const auto count = static_cast<double>(records.size());
  const Interval interval = wilson_interval(hits, metrics.samples);
  metrics.top1 = 100.0 * static_cast<double>(hits) / count;
  metrics.top1_interval = Interval{100 * interval.low, 100 * interval.high};
  metrics.loss = loss / count;
  return metrics;
}

ReportInputs example_inputs() {
  ReportInputs inputs;
  inputs.reference = {"net.onnx", std::string(64, 'a'), 40000};
  inputs.model = {"net.int8.onnx", std::string(64, 'b'), 12000};
  inputs.format = "qdq";
  inputs.weights = "int8";
  inputs.activations = "uint8";
  inputs.evaluation.integer_mac_share = 0.75;
  inputs.calibration_data_hash = std::string(64, 'c');
  inputs.calibration_samples = 16;
  inputs.evaluation_data_hash = std::string(64, 'd');
  inputs.evaluation_source = "separate data set";
  inputs.evaluation.records = records("1111111100");
  inputs.evaluation.reference_records = records("1111111110");
  inputs.evaluation.metrics = metrics_of(inputs.evaluation.records);
  inputs.evaluation.reference = metrics_of(inputs.evaluation.reference_records);
  inputs.evaluation.metrics.agreement = 90.0;
  inputs.evaluation.metrics.agreement_interval = Interval{59.6, 98.2};
  inputs.evaluation.metrics.sqnr_db = 31.5;
  inputs.evaluation.layers = {{"image", "image_q", "input", 40.0, 0.9999, 0.01},
                              {"conv1", "conv1_q", "Conv", 22.5, 0.997, 0.125},
                              {"scores", "scores_q", "Gemm", 31.5, 0.9995, 0.25}};
  inputs.plan.nodes = {{"n0", {"Conv", true, "default"}}, {"n1", {"Gemm", false, "by the user"}}};
  inputs.plan.weights["w0"] = {DataType::kInt8, 0, "mse", "default"};
  PlannedActivation activation;
  activation.low = -1.0F;
  activation.high = 2.5F;
  activation.observer = "mse";
  inputs.plan.activations = {{"image", activation}, {"conv1", activation}};
  inputs.run = {
      "limbeck quantize net.onnx -o out", "2026-01-02T03:04:05Z", 1.5, 2, "a CPU, Linux", 50000000};
  return inputs;
}

nlohmann::json example_report(const std::string& model_correct) {
  ReportInputs inputs = example_inputs();
  inputs.evaluation.records = records(model_correct);
  inputs.evaluation.reference_records = records(std::string(model_correct.size(), '1'));
  inputs.evaluation.reference = metrics_of(inputs.evaluation.reference_records);
  const Metrics measured = metrics_of(inputs.evaluation.records);
  inputs.evaluation.metrics.samples = measured.samples;
  inputs.evaluation.metrics.top1 = measured.top1;
  inputs.evaluation.metrics.top1_interval = measured.top1_interval;
  inputs.evaluation.metrics.loss = measured.loss;
  return make_report(inputs);
}

}  // namespace limbeck::test
