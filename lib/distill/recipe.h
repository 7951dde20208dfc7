// How a student is trained: the recipe that a user writes, or its defaults.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "lib/autodiff/optimizer.h"
#include "lib/autodiff/schedule.h"
#include "lib/autodiff/tape.h"
#include "lib/distill/augmentation.h"

namespace limbeck {

/// Which training samples are held out to judge the student after every epoch.
struct ValidationOptions {
  double share = 0.02;  ///< of the training samples, 0 to 0.9; 0: none
  int64_t samples = 0;  ///< instead of a share, at least 1; 0: the share decides
};

/// Every field has a default, so that an empty recipe trains.
struct Recipe {
  std::filesystem::path teacher;  ///< ONNX file; empty: not named here
  std::filesystem::path student;  ///< same
  std::filesystem::path data;     ///< data set description; same
  nlohmann::json losses;          ///< list that Objective::read takes; null: default_losses()
  OptimizerOptions optimizer = {.nesterov = true, .weight_decay = 5e-4};
  ScheduleOptions schedule = {.learning_rate = 0.05, .warmup = 0.05};
  AugmentationOptions augmentation;
  int64_t epochs = 10;       ///< passes over the training samples, 1 to 100000
  int64_t batch = 256;       ///< samples of one forward and backward pass, 1 to 1000000
  int64_t shards = 8;        ///< parts of a batch, 1 to 1024; part of the result, unlike threads
  int64_t accumulation = 1;  ///< batches whose mean gradient makes one step, 1 to 4096
  uint64_t seed = 1;         ///< of every random choice; 0: samples in data order, not shuffled
  double ema_decay = 0;      ///< of the average of the weights, 0 to below 1; 0: the last weights
  BatchNormMode batch_norm = BatchNormMode::kBatch;
  std::vector<int64_t> domain;  ///< classes that are trained on, ascending; empty: all
  std::vector<std::string> trainable = {"*"};  ///< globs over the names of constants
  bool dropout = true;                         ///< whether Dropout nodes drop
  Precision precision = Precision::kFloat;     ///< of the convolutions of the student
  ValidationOptions validation;
  int64_t patience = 0;            ///< epochs without improvement before the end; 0: never stop
  double checkpoint_minutes = 10;  ///< between checkpoints; 0: one after every step
};

/// Reads the fields above from JSON (docs/formats/distill.md); `defaults` hold for those that are
/// absent, paths apart. Paths are relative to `folder`. Raises kUsage for unknown fields, wrong
/// types and values out of range; losses are read by Objective::read. `place` stands in front of
/// the JSON pointer of the field.
Recipe read_recipe(const nlohmann::json& document, const std::string& place,
                   const std::filesystem::path& folder, const Recipe& defaults = {});
/// Class indices from 0 on, sorted, each once. Raises kUsage, with `place`, for an empty list and
/// for anything else in it.
std::vector<int64_t> read_classes(const nlohmann::json& list, const std::string& place);
/// The recipe in a file. Raises kIo, kData (no JSON) and what read_recipe raises.
Recipe load_recipe(const std::filesystem::path& path, const Recipe& defaults = {});

/// With a teacher soft targets at temperature 4, weight 0.9, and label cross-entropy, weight 0.1,
/// where there are labels (G. Hinton et al. 2015); without a teacher label cross-entropy alone.
nlohmann::json default_losses(bool teacher, bool labels);

/// Everything that decides the result but files and `losses` left null: schema
/// schemas/distill.schema.json; read_recipe() reads it back to the same recipe.
nlohmann::ordered_json recipe_json(const Recipe& recipe);

/// SHA-256 of recipe_json(): two recipes that train alike have the same.
std::string recipe_hash(const Recipe& recipe);

}  // namespace limbeck
