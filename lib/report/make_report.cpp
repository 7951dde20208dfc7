#include <algorithm>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "lib/base/format.h"
#include "lib/base/version.h"
#include "lib/evaluate/metrics_json.h"
#include "lib/model/data_type.h"
#include "lib/report/histogram.h"
#include "lib/report/json_text.h"
#include "lib/report/report.h"
#include "lib/report/report_parts.h"
#include "lib/report/verdict.h"

namespace limbeck {
namespace {

using Json = nlohmann::ordered_json;
using Records = std::vector<SampleRecord>;

constexpr int kReportVersion = 1;
constexpr int64_t kHistogramBins = 64;
constexpr size_t kHistograms = 8;

Json files_json(const ReportInputs& inputs) {
  Json files = Json::object();
  if (!inputs.reference.name.empty()) files["reference"] = file_json(inputs.reference);
  files["model"] = file_json(inputs.model);
  return files;
}

/// Counts by type name; activations and weights that stay float are not in the plan.
template <typename Planned>
Json count_types(const std::map<std::string, Planned>& planned) {
  std::map<std::string, int64_t> counts;
  for (const auto& [name, item] : planned) ++counts[data_type_name(item.type)];
  return Json(counts);
}

Json plan_json(const Plan& plan) {
  int64_t integers = 0;
  Json floats = Json::array();
  for (const auto& [name, node] : plan.nodes) {
    integers += node.integer ? 1 : 0;
    if (node.integer) continue;
    floats.push_back({{"node", valid_utf8(name)},
                      {"op", valid_utf8(node.op_type)},
                      {"reason", valid_utf8(node.reason)}});
  }
  return {{"integer_nodes", integers},
          {"float_nodes", floats},
          {"activations", count_types(plan.activations)},
          {"weights", count_types(plan.weights)}};
}

Json quantization_json(const ReportInputs& inputs) {
  Json result = {{"format", inputs.format},
                 {"weights", inputs.weights},
                 {"activations", inputs.activations},
                 {"integer_mac_share", tidy(inputs.evaluation.integer_mac_share)}};
  if (inputs.reference_weight_bytes) {
    result["reference_weight_bytes"] = *inputs.reference_weight_bytes;
  }
  if (inputs.model_weight_bytes) result["model_weight_bytes"] = *inputs.model_weight_bytes;
  if (inputs.calibration_samples > 0) {
    result["calibration"] = {{"data_hash", inputs.calibration_data_hash},
                             {"samples", inputs.calibration_samples}};
  }
  result["plan"] = plan_json(inputs.plan);
  return result;
}

Json evaluation_json(const ReportInputs& inputs, const std::optional<PairedComparison>& paired) {
  const Evaluation& evaluation = inputs.evaluation;
  Json result = {{"data_hash", inputs.evaluation_data_hash},
                 {"source", inputs.evaluation_source},
                 {"metrics", metrics_json(evaluation.metrics)}};
  if (evaluation.reference) result["reference"] = metrics_json(*evaluation.reference);
  if (paired) result["paired"] = paired_json(*paired);
  return result;
}

Json headline_json(const ReportInputs& inputs, const Verdict& verdict,
                   const std::optional<PairedComparison>& paired) {
  const Evaluation& evaluation = inputs.evaluation;
  Json result = {{"verdict", verdict.sentence}, {"judgement", verdict.judgement}};
  if (evaluation.reference) put(&result, "reference_top1", evaluation.reference->top1);
  put(&result, "top1", evaluation.metrics.top1);
  if (paired) result["top1_change"] = tidy(paired->difference);
  put(&result, "agreement", evaluation.metrics.agreement);
  if (!inputs.reference.name.empty()) result["reference_bytes"] = inputs.reference.bytes;
  result["model_bytes"] = inputs.model.bytes;
  result["integer_mac_share"] = tidy(inputs.evaluation.integer_mac_share);
  return result;
}

Json layers_json(const ReportInputs& inputs) {
  Json result = Json::array();
  for (const LayerError& layer : inputs.evaluation.layers) {
    const auto planned = inputs.plan.activations.find(layer.tensor);
    const bool integer = planned != inputs.plan.activations.end();
    Json entry = layer_json(layer);
    entry["type"] = integer ? data_type_name(planned->second.type) : "float";
    result.push_back(entry);
  }
  return result;
}

Json histogram_json(const std::string& tensor, const Sketch& sketch, const Plan& plan) {
  const CoarseHistogram coarse = coarse_histogram(sketch, kHistogramBins);
  Json result = {{"tensor", valid_utf8(tensor)}, {"values", sketch.count()},
                 {"min", tidy(sketch.min())},    {"max", tidy(sketch.max())},
                 {"low", tidy(coarse.low)},      {"bin_width", tidy(coarse.bin_width)},
                 {"counts", coarse.counts}};
  const auto planned = plan.activations.find(tensor);
  if (planned == plan.activations.end()) return result;
  const PlannedActivation& activation = planned->second;
  result["range"] = {{"low", tidy(activation.low)},
                     {"high", tidy(activation.high)},
                     {"type", data_type_name(activation.type)},
                     {"observer", valid_utf8(activation.observer)}};
  result["clipped_share"] = tidy(clipped_share(sketch, {activation.low, activation.high}));
  return result;
}

Json histograms_json(const ReportInputs& inputs) {
  Json result = Json::array();
  if (inputs.table == nullptr) return result;
  std::vector<const LayerError*> worst;
  for (const LayerError& layer : inputs.evaluation.layers) {
    const auto found = inputs.table->tensors.find(layer.tensor);
    if (found != inputs.table->tensors.end() && found->second.count() > 0) worst.push_back(&layer);
  }
  std::stable_sort(worst.begin(), worst.end(), [](const LayerError* a, const LayerError* b) {
    return a->sqnr_db < b->sqnr_db;
  });
  worst.resize(std::min(worst.size(), kHistograms));
  for (const LayerError* layer : worst) {
    const Sketch& sketch = inputs.table->tensors.at(layer->tensor);
    result.push_back(histogram_json(layer->tensor, sketch, inputs.plan));
  }
  return result;
}

}  // namespace

nlohmann::ordered_json make_report(const ReportInputs& inputs) {
  const Records model = stored_records(inputs.evaluation.records);
  const Records reference = stored_records(inputs.evaluation.reference_records);
  const std::optional<PairedComparison> paired = paired_with_reference(inputs.evaluation);
  Json report = {{"version", kReportVersion}, {"generator", "limbeck " + std::string(kVersion)}};
  report["headline"] = headline_json(inputs, judge(inputs.evaluation, paired), paired);
  report["files"] = files_json(inputs);
  report["quantization"] = quantization_json(inputs);
  report["evaluation"] = evaluation_json(inputs, paired);
  report["layers"] = layers_json(inputs);
  report["histograms"] = histograms_json(inputs);
  report["records"] = Json::object();
  if (!model.empty()) report["records"]["model"] = records_json(model);
  if (!reference.empty()) report["records"]["reference"] = records_json(reference);
  report["run"] = run_json(inputs.run);
  return report;
}

}  // namespace limbeck
