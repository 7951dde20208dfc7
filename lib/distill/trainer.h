// Trains a student on labels, on a teacher, or on both.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "lib/data/dataset.h"
#include "lib/distill/checkpoint.h"
#include "lib/distill/recipe.h"
#include "lib/distributed/communicator.h"
#include "lib/model/model.h"

namespace limbeck {

/// What is trained, on what, and how. References outlive the run.
struct TrainJob {
  const Model& student;
  const Model* teacher = nullptr;  ///< null: none
  const Dataset& data;
  std::vector<int64_t> training = {};     ///< indices of `data`, at least one
  std::vector<int64_t> validation = {};   ///< judged after every epoch; may be empty
  Recipe recipe = {};                     ///< null losses: default_losses()
  TrainIdentity identity = {};            ///< what a checkpoint must agree with
  std::filesystem::path checkpoint = {};  ///< file; empty: none is written
  std::filesystem::path log = {};         ///< file, JSON lines; empty: none
  /// Folder in which the teacher's answers are kept (TeacherCache), under identity.teacher and
  /// identity.data; empty: the teacher runs in every step. Cached answers are those of other
  /// batches, so the last bits of the result may differ: a run is continued as it began.
  std::filesystem::path teacher_cache = {};
  /// Most bytes that forward passes keep for the backward passes, all threads together; 0: any.
  /// Where they would keep more, parts of the network run forward twice; never changes the result.
  int64_t memory_budget = 0;
  /// Constants of the student that train beside those of the recipe, by exact name and without
  /// weight decay: learned step sizes.
  std::vector<std::string> step_sizes = {};
  /// The model that will be made from a student and is judged in its place (finish_qat); a pure
  /// function. Empty: the student itself.
  std::function<Model(const Model& student)> judged_as = {};
  bool resume = false;  ///< go on from the checkpoint where there is one
  int threads = 0;      ///< 0: all cores; never changes the result
  bool quiet = true;
  /// Processes that share every step's shards, each calling train() with the same job; null: this
  /// one alone. Never changes the result. Rank 0 writes checkpoint and log, and shows progress.
  Communicator* ranks = nullptr;
  /// Called after every step, checkpoint and log included; for tests, may throw.
  std::function<void(int64_t step)> after_step = {};
};

struct TrainResult {
  Model student;           ///< everything but weights and running statistics is as it was
  int64_t steps = 0;       ///< done, over all runs of this job
  int64_t epochs = 0;      ///< same
  int64_t best_epoch = 0;  ///< whose weights these are, where training may stop early; else 0
  bool stopped_early = false;
};

/// The recipe with its losses filled in.
Recipe completed_recipe(Recipe recipe, bool teacher, bool labels);

/// Runs the recipe to its end. The same job gives the same bytes (student, log, checkpoint) on any
/// number of threads and ranks, whether or not it was interrupted and resumed, then perhaps on
/// others. A signal, or a rank that is gone, leaves a checkpoint and raises kInterrupted.
///
/// Raises kUsage for more ranks than shards, ranks with different jobs, a recipe that does not fit
/// models and data (labels or teacher that a loss needs, taps, globs, fixed batch sizes, a cache
/// beside augmentation, an impossible budget), kData when a value is no longer finite, naming the
/// layer (the last checkpoint stays), and what Student, Objective, Dataset and checkpoints raise.
TrainResult train(const TrainJob& job);

}  // namespace limbeck
