#include "lib/evaluate/evaluation_json.h"

#include "lib/evaluate/statistics.h"

namespace limbeck {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kVersion = 1;

void put(Json* object, const char* name, const std::optional<double>& value) {
  if (value) (*object)[name] = *value;
}

void put(Json* object, const char* name, const std::optional<Interval>& value) {
  if (value) (*object)[name] = {value->low, value->high};
}

Json metrics_json(const Metrics& metrics) {
  Json result = {{"samples", metrics.samples}};
  put(&result, "top1", metrics.top1);
  put(&result, "top1_interval", metrics.top1_interval);
  put(&result, "top5", metrics.top5);
  put(&result, "loss", metrics.loss);
  put(&result, "agreement", metrics.agreement);
  put(&result, "agreement_interval", metrics.agreement_interval);
  put(&result, "sqnr_db", metrics.sqnr_db);
  put(&result, "cosine", metrics.cosine);
  put(&result, "kl", metrics.kl);
  if (!metrics.user.empty()) result["user"] = metrics.user;
  return result;
}

Json paired_json(const PairedComparison& paired) {
  return {{"samples", paired.samples},
          {"only_reference_correct", paired.only_a_correct},
          {"only_model_correct", paired.only_b_correct},
          {"top1_change", paired.difference},
          {"top1_change_interval", {paired.interval.low, paired.interval.high}},
          {"p_value", paired.p_value},
          {"significant", paired.significant},
          {"loss_change", paired.loss_difference},
          {"loss_change_interval", {paired.loss_interval.low, paired.loss_interval.high}}};
}

Json layers_json(const std::vector<LayerError>& layers) {
  Json result = Json::array();
  for (const LayerError& layer : layers) {
    result.push_back({{"tensor", layer.tensor},
                      {"value", layer.value},
                      {"op", layer.op_type},
                      {"sqnr_db", layer.sqnr_db},
                      {"cosine", layer.cosine},
                      {"max_abs", layer.max_abs}});
  }
  return result;
}

}  // namespace

nlohmann::ordered_json evaluation_json(const Evaluation& evaluation,
                                       const EvaluationSubject& subject) {
  Json result = {{"version", kVersion}, {"model", subject.model}};
  if (!subject.reference.empty()) result["reference_model"] = subject.reference;
  result["data_hash"] = subject.data_hash;
  result["metrics"] = metrics_json(evaluation.metrics);
  if (evaluation.reference) result["reference"] = metrics_json(*evaluation.reference);
  if (!evaluation.records.empty() && !evaluation.reference_records.empty()) {
    result["paired"] =
        paired_json(compare_records(evaluation.reference_records, evaluation.records));
  }
  if (!evaluation.layers.empty()) result["layers"] = layers_json(evaluation.layers);
  return result;
}

}  // namespace limbeck
