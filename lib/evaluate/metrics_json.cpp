#include "lib/evaluate/metrics_json.h"

#include "lib/base/format.h"

namespace limbeck {
namespace {

using Json = nlohmann::ordered_json;

void put(Json* object, const char* name, const std::optional<Interval>& value) {
  if (value) (*object)[name] = {tidy(value->low), tidy(value->high)};
}

}  // namespace

void put(Json* object, const char* name, const std::optional<double>& value) {
  if (value) (*object)[name] = tidy(*value);
}

Json metrics_json(const Metrics& metrics) {
  Json result = {{"samples", metrics.samples}};
  if (!metrics.scores.empty()) result["scores"] = valid_utf8(metrics.scores);
  put(&result, "top1", metrics.top1);
  put(&result, "top1_interval", metrics.top1_interval);
  put(&result, "top5", metrics.top5);
  put(&result, "loss", metrics.loss);
  put(&result, "agreement", metrics.agreement);
  put(&result, "agreement_interval", metrics.agreement_interval);
  put(&result, "sqnr_db", metrics.sqnr_db);
  put(&result, "cosine", metrics.cosine);
  put(&result, "kl", metrics.kl);
  for (const auto& [name, value] : metrics.user) result["user"][valid_utf8(name)] = tidy(value);
  return result;
}

Json paired_json(const PairedComparison& paired) {
  return {
      {"samples", paired.samples},
      {"only_reference_correct", paired.only_a_correct},
      {"only_model_correct", paired.only_b_correct},
      {"top1_change", tidy(paired.difference)},
      {"top1_change_interval", {tidy(paired.interval.low), tidy(paired.interval.high)}},
      {"p_value", tidy(paired.p_value)},
      {"significant", paired.significant},
      {"loss_change", tidy(paired.loss_difference)},
      {"loss_change_interval", {tidy(paired.loss_interval.low), tidy(paired.loss_interval.high)}}};
}

Json layer_json(const LayerError& layer) {
  return {{"tensor", valid_utf8(layer.tensor)}, {"value", valid_utf8(layer.value)},
          {"op", valid_utf8(layer.op_type)},    {"sqnr_db", tidy(layer.sqnr_db)},
          {"cosine", tidy(layer.cosine)},       {"max_abs", tidy(layer.max_abs)}};
}

std::vector<SampleRecord> stored_records(const std::vector<SampleRecord>& records) {
  std::vector<SampleRecord> result = records;
  for (SampleRecord& record : result) record.loss = tidy(record.loss);
  return result;
}

std::optional<PairedComparison> paired_with_reference(const Evaluation& evaluation) {
  if (evaluation.records.empty() || evaluation.reference_records.empty()) return {};
  return compare_records(stored_records(evaluation.reference_records),
                         stored_records(evaluation.records));
}

}  // namespace limbeck
