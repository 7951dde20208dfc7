#include "lib/distill/recipe.h"

namespace limbeck {
namespace {

using Json = nlohmann::ordered_json;

Json groups_json(const std::vector<ParameterGroup>& groups) {
  Json list = Json::array();
  for (const ParameterGroup& group : groups) {
    Json entry = {{"glob", group.glob}, {"learning_rate_factor", group.learning_rate_factor}};
    if (group.weight_decay) entry["weight_decay"] = *group.weight_decay;
    list.push_back(entry);
  }
  return list;
}

/// Only what the method reads: read_optimizer() refuses the rest.
Json optimizer_json(const OptimizerOptions& options) {
  Json result = {{"method", options.method}};
  if (options.method == "sgd") {
    result["momentum"] = options.momentum;
    result["nesterov"] = options.nesterov;
  } else {
    result["beta1"] = options.beta1;
    result["beta2"] = options.beta2;
    result["epsilon"] = options.epsilon;
  }
  result["weight_decay"] = options.weight_decay;
  result["clip_norm"] = options.clip_norm;
  if (!options.groups.empty()) result["groups"] = groups_json(options.groups);
  return result;
}

/// Same as above.
Json schedule_json(const ScheduleOptions& options) {
  Json result = {{"kind", options.kind}, {"learning_rate", options.learning_rate}};
  if (options.kind != "one_cycle") result["warmup"] = options.warmup;
  if (options.kind == "step") {
    result["milestones"] = options.milestones;
    result["factor"] = options.factor;
  }
  if (options.kind == "cosine") result["final_share"] = options.final_share;
  if (options.kind == "one_cycle") {
    result["rise"] = options.rise;
    result["start_divisor"] = options.start_divisor;
    result["final_divisor"] = options.final_divisor;
  }
  return result;
}

Json augmentation_json(const AugmentationOptions& options) {
  return {{"flip", options.flip},
          {"crop_padding", options.crop_padding},
          {"brightness", options.brightness},
          {"contrast", options.contrast},
          {"saturation", options.saturation},
          {"cutout", options.cutout},
          {"mixup", options.mixup}};
}

Json validation_json(const ValidationOptions& options) {
  if (options.samples > 0) return {{"samples", options.samples}};
  return {{"share", options.share}};
}

}  // namespace

Json recipe_json(const Recipe& recipe) {
  Json result = {{"version", 1}};
  if (!recipe.losses.is_null()) result["losses"] = recipe.losses;
  result["optimizer"] = optimizer_json(recipe.optimizer);
  result["schedule"] = schedule_json(recipe.schedule);
  result["augmentation"] = augmentation_json(recipe.augmentation);
  result["epochs"] = recipe.epochs;
  result["batch"] = recipe.batch;
  result["shards"] = recipe.shards;
  result["accumulation"] = recipe.accumulation;
  result["seed"] = recipe.seed;
  if (recipe.ema_decay > 0) result["ema"] = {{"decay", recipe.ema_decay}};
  result["batch_norm"] = recipe.batch_norm == BatchNormMode::kBatch ? "batch" : "frozen";
  if (!recipe.domain.empty()) result["domain"] = {{"classes", recipe.domain}};
  result["trainable"] = recipe.trainable;
  result["dropout"] = recipe.dropout;
  if (recipe.precision != Precision::kFloat) result["precision"] = precision_name(recipe.precision);
  result["validation"] = validation_json(recipe.validation);
  if (recipe.patience > 0) result["early_stopping"] = {{"patience", recipe.patience}};
  result["checkpoint"] = {{"minutes", recipe.checkpoint_minutes}};
  return result;
}

}  // namespace limbeck
