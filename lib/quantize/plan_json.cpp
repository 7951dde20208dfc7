#include <array>
#include <bit>
#include <cmath>
#include <string_view>

#include "lib/base/error.h"
#include "lib/base/schema.h"
#include "lib/quantize/affine.h"
#include "lib/quantize/plan.h"

namespace limbeck {
namespace {

constexpr int kPlanVersion = 1;

struct FormatName {
  EmitFormat format;
  std::string_view name;
};
constexpr std::array<FormatName, 3> kFormats = {{{EmitFormat::kQdq, "qdq"},
                                                 {EmitFormat::kQOperator, "qoperator"},
                                                 {EmitFormat::kDynamic, "dynamic"}}};

constexpr std::array<DataType, 6> kTypes = {DataType::kInt8,   DataType::kUint8, DataType::kInt16,
                                            DataType::kUint16, DataType::kInt4,  DataType::kUint4};

DataType type_from_name(const std::string& name) {
  for (const DataType type : kTypes) {
    if (data_type_name(type) == name) return type;
  }
  throw_error(Category::kInternal, "plan", "the schema admits only known types", name,
              "report this bug");
}

nlohmann::ordered_json activation_to_json(const PlannedActivation& planned) {
  nlohmann::ordered_json item = {{"type", data_type_name(planned.type)},
                                 {"symmetric", planned.symmetric},
                                 {"low", planned.low},
                                 {"high", planned.high},
                                 {"observer", planned.observer},
                                 {"reason", planned.reason}};
  if (!planned.group.empty()) item["group"] = planned.group;
  return item;
}

PlannedActivation activation_from_json(const nlohmann::json& item, const std::string& place) {
  PlannedActivation planned;
  planned.type = type_from_name(item.at("type"));
  planned.symmetric = item.value("symmetric", false);
  planned.low = item.at("low");
  planned.high = item.at("high");
  planned.observer = item.value("observer", "");
  planned.group = item.value("group", "");
  planned.reason = item.value("reason", "");
  if (!std::isfinite(planned.low) || !std::isfinite(planned.high) || planned.low > planned.high) {
    throw_error(Category::kData, place, "a range must be finite, low at most high",
                "[" + item.at("low").dump() + ", " + item.at("high").dump() + "]",
                "correct low and high in the plan");
  }
  return planned;
}

nlohmann::ordered_json weight_to_json(const PlannedWeight& planned) {
  nlohmann::ordered_json item = {{"type", data_type_name(planned.type)},
                                 {"axis", planned.axis},
                                 {"algorithm", planned.algorithm},
                                 {"reason", planned.reason}};
  if (planned.limit > 0) item["limit"] = planned.limit;
  return item;
}

PlannedWeight weight_from_json(const nlohmann::json& item, const std::string& place) {
  PlannedWeight planned;
  planned.type = type_from_name(item.at("type"));
  planned.axis = item.at("axis");
  planned.algorithm = item.value("algorithm", "mse");
  planned.reason = item.value("reason", "");
  planned.limit = item.value("limit", 0);
  const int32_t highest = integer_range(planned.type).highest;
  if (planned.limit > highest) {
    throw_error(Category::kData, place,
                "the limit must be a code of the type, at most " + std::to_string(highest),
                std::to_string(planned.limit), "lower the limit or widen the type in the plan");
  }
  return planned;
}

PlanSource source_from_json(const nlohmann::json& document) {
  const auto source = document.find("calibration");
  if (source == document.end()) return {};
  return {source->at("samples"), source->at("seed"), source->at("data_hash")};
}

}  // namespace

const std::string& group_of(const std::string& name, const PlannedActivation& planned) {
  return planned.group.empty() ? name : planned.group;
}

int32_t code_limit(const PlannedWeight& planned) {
  if (planned.limit > 0) return planned.limit;
  const IntegerRange range = integer_range(planned.type);
  return (range.highest - range.lowest) / 2;
}

int weight_bits(const PlannedWeight& planned) {
  return std::bit_width(static_cast<uint32_t>(code_limit(planned))) + 1;
}

nlohmann::ordered_json plan_to_json(const Plan& plan) {
  nlohmann::ordered_json document = {{"version", kPlanVersion}, {"model_hash", plan.model_hash}};
  for (const FormatName& row : kFormats) {
    if (row.format == plan.format) document["format"] = row.name;
  }
  if (plan.calibration.samples > 0) {
    document["calibration"] = {{"samples", plan.calibration.samples},
                               {"seed", plan.calibration.seed},
                               {"data_hash", plan.calibration.data_hash}};
  }
  document["correct_bias"] = plan.correct_bias;
  document["target"] = plan.target;
  auto& nodes = document["nodes"] = nlohmann::ordered_json::object();
  for (const auto& [name, node] : plan.nodes) {
    nodes[name] = {{"op", node.op_type}, {"integer", node.integer}, {"reason", node.reason}};
  }
  auto& activations = document["activations"] = nlohmann::ordered_json::object();
  for (const auto& [name, planned] : plan.activations)
    activations[name] = activation_to_json(planned);
  auto& weights = document["weights"] = nlohmann::ordered_json::object();
  for (const auto& [name, planned] : plan.weights) weights[name] = weight_to_json(planned);
  return document;
}

Plan plan_from_json(const nlohmann::json& document, const std::string& place) {
  validate_json(document, "plan", place);
  Plan plan;
  plan.model_hash = document.at("model_hash");
  for (const FormatName& row : kFormats) {
    if (document.at("format") == row.name) plan.format = row.format;
  }
  plan.calibration = source_from_json(document);
  plan.correct_bias = document.value("correct_bias", true);
  plan.target = document.value("target", nlohmann::json::object());
  for (const auto& [name, item] : document.at("nodes").items()) {
    plan.nodes[name] = {item.value("op", ""), item.at("integer"), item.value("reason", "")};
  }
  for (const auto& [name, item] : document.at("activations").items()) {
    plan.activations[name] = activation_from_json(
        item, std::string(place).append(", activation '").append(name).append("'"));
  }
  for (const auto& [name, item] : document.at("weights").items()) {
    const auto node = plan.nodes.find(name);
    if (node != plan.nodes.end() && !node->second.integer) continue;
    plan.weights[name] = weight_from_json(
        item, std::string(place).append(", weights of '").append(name).append("'"));
  }
  return plan;
}

}  // namespace limbeck
