// One step of training: what it reads, and the gradients that come out. Internal to lib/distill.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "lib/autodiff/shards.h"
#include "lib/distill/augmentation.h"
#include "lib/distill/logits.h"
#include "lib/distill/objective.h"
#include "lib/distill/recipe.h"
#include "lib/distill/student.h"
#include "lib/distill/teacher_cache.h"
#include "lib/distributed/communicator.h"
#include "lib/engine/engine.h"

namespace limbeck {

/// How the training samples are cut into epochs, steps and shards. All steps are equal: what does
/// not fill one is left out of the epoch, another part in each.
struct StepPlan {
  int64_t samples = 0;          ///< of one step: batch times accumulation, or all there are
  int64_t shards = 0;           ///< of one step
  int64_t steps_per_epoch = 0;  ///< at least 1
};
StepPlan plan_steps(const Recipe& recipe, int64_t training_samples);

/// The shards of this rank; all of them when `ranks` stands for one process.
RankShare own_shards(const Communicator* ranks, const StepPlan& plan);

/// The samples of one shard, augmented.
struct ShardData {
  int64_t samples = 0;
  std::vector<Tensor> student;  ///< in the order of Tape::input_names()
  std::vector<Tensor> teacher;  ///< in the order of Engine::input_names(); empty without a teacher
  std::vector<Label> labels;
  std::vector<int64_t> indices;  ///< in the data set that was read
};

/// The teacher's answers from a cache instead of the teacher.
struct CachedTeacher {
  std::shared_ptr<const TeacherCache> cache;  ///< null: none
  std::span<const int64_t> rows;              ///< where in the cache each sample stands
};

/// The teacher, where a loss reads one.
struct StepTeacher {
  const Engine* engine = nullptr;  ///< returns the objective's taps, and the logits
  std::string logits;              ///< logits_name()
};

struct StepResult {
  double loss = 0;
  std::vector<double> terms;      ///< by loss, before its weight
  std::vector<Tensor> gradients;  ///< of the student's weights, then of the losses'
  std::vector<std::vector<BatchStatistics>> statistics;  ///< by shard, over all ranks
};

/// Computes steps. References outlive it. Immutable after construction.
class StepRunner {
 public:
  /// The student returns the objective's taps, and its logits. `ranks` share the shards of a step;
  /// null: this process has all.
  StepRunner(const Student& student, const Objective& objective, StepTeacher teacher, int threads,
             Communicator* ranks = nullptr)
      : student_(student),
        student_logits_(logits_name(student.model())),
        objective_(objective),
        teacher_(std::move(teacher)),
        threads_(threads),
        ranks_(many(ranks) ? ranks : nullptr) {}
  /// From now on the teacher is not run. Not while others use the runner.
  void use_cache(CachedTeacher cached) { cached_ = std::move(cached); }

  /// Start values of the losses' weights, in their order, from one shard. Raises kUsage where a
  /// loss would read probabilities as logits, and kData where labels are the numbers of `folders`
  /// (Dataset::numbered_folders(); 0: they are not) and the student has another number of scores.
  std::vector<std::vector<Tensor>> initial_loss_weights(const ShardData& probe, uint64_t seed,
                                                        int64_t folders) const;

  /// Reads the shards of this rank on up to `threads` threads; `indices` are those of a whole step.
  std::vector<ShardData> read(const Dataset& dataset, std::span<const int64_t> indices,
                              const StepPlan& plan, const AugmentationOptions& augmentation,
                              uint64_t seed, uint32_t epoch) const;

  /// Mean loss and gradients over the samples of the step, summed in shard order: the same bytes on
  /// any number of threads and ranks, and on every rank. `shards` are those of this rank. `values`
  /// hold the student's weights, then those of the losses, which `loss_weights` counts by loss.
  /// `progress` is the share of the run that is done.
  StepResult run(const std::vector<ShardData>& shards, const StepPlan& plan,
                 std::span<const Tensor> values, const std::vector<size_t>& loss_weights,
                 uint64_t seed, double progress) const;

 private:
  ObjectiveInput objective_input(const ShardData& shard, const Pass& pass) const;
  std::vector<Tensor> teacher_answers(const ShardData& shard) const;
  std::vector<Tensor> output_gradients(const ObjectiveResult& result) const;

  const Student& student_;
  std::string student_logits_;
  const Objective& objective_;
  StepTeacher teacher_;
  int threads_;
  Communicator* ranks_;  ///< null: one process
  CachedTeacher cached_;
};

}  // namespace limbeck
