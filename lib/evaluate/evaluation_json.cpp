#include "lib/evaluate/evaluation_json.h"

#include "lib/base/format.h"
#include "lib/evaluate/metrics_json.h"

namespace limbeck {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kVersion = 1;

Json layers_json(const std::vector<LayerError>& layers) {
  Json result = Json::array();
  for (const LayerError& layer : layers) result.push_back(layer_json(layer));
  return result;
}

}  // namespace

nlohmann::ordered_json evaluation_json(const Evaluation& evaluation,
                                       const EvaluationSubject& subject) {
  Json result = {{"version", kVersion}, {"model", valid_utf8(subject.model)}};
  if (!subject.reference.empty()) result["reference_model"] = valid_utf8(subject.reference);
  result["data_hash"] = subject.data_hash;
  result["integer_mac_share"] = tidy(evaluation.integer_mac_share);
  result["metrics"] = metrics_json(evaluation.metrics);
  if (evaluation.reference) result["reference"] = metrics_json(*evaluation.reference);
  if (const auto paired = paired_with_reference(evaluation))
    result["paired"] = paired_json(*paired);
  if (!evaluation.layers.empty()) result["layers"] = layers_json(evaluation.layers);
  return result;
}

}  // namespace limbeck
