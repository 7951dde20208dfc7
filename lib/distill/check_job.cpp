#include "lib/distill/check_job.h"

#include "lib/base/error.h"
#include "lib/distill/logits.h"
#include "lib/engine/stream.h"

namespace limbeck {
namespace {

void check_fixed_batch(const Model& model, const std::string& what, const StepPlan& plan) {
  const int64_t fixed = fixed_batch(model);
  if (fixed == 0 || plan.samples == fixed * plan.shards) return;
  throw_error(
      Category::kUsage, what,
      "a model that takes " + std::to_string(fixed) + (fixed == 1 ? " sample" : " samples") +
          " at a time trains in shards of that size",
      std::to_string(plan.samples) + " samples in " + std::to_string(plan.shards) + " shards",
      "export it with a free batch size, or set `batch` to " + std::to_string(fixed) +
          " times `shards`");
}

/// One of many classes is what the losses on scores are about.
void check_scores(const Model& model, const std::string& whose) {
  const Node* last = scores_node(model);
  if (last == nullptr || last->op_type() != "Sigmoid") return;
  throw_error(Category::kUnsupported, whose,
              "losses that take the softmax are for models that choose one class of many",
              "scores made by Sigmoid", "use logits_mse, or losses on intermediate tensors");
}

}  // namespace

void check_taps(const Model& model, const std::vector<std::string>& taps,
                const std::string& whose) {
  for (const std::string& tap : taps) {
    if (model.graph.find(tap) != nullptr) continue;
    throw_error(Category::kUsage, "/losses",
                "the tensor that a loss reads must exist in the " + whose, "'" + tap + "'",
                "limbeck inspect --dump lists the names");
  }
}

void check_job(const TrainJob& job, const Objective& objective, const StepPlan& plan) {
  if (objective.needs_teacher() && job.teacher == nullptr) {
    throw_error(Category::kUsage, "/losses", "losses that follow a teacher need one", "no teacher",
                "give --teacher, or train with label_cross_entropy alone");
  }
  if (objective.needs_labels() && !job.data.has_labels()) {
    throw_error(Category::kUsage, "/losses", "losses on labels need labelled data", "no labels",
                job.teacher == nullptr ? "give --teacher: soft_targets needs no labels"
                                       : "leave these losses out: soft_targets needs no labels");
  }
  if (job.recipe.patience > 0 && job.validation.empty()) {
    throw_error(Category::kUsage, "/early_stopping", "early stopping needs held-out samples",
                "none", "raise /validation/share, or leave early_stopping out");
  }
  if (!job.teacher_cache.empty() && changes_images(job.recipe.augmentation)) {
    throw_error(Category::kUsage, "--teacher-cache",
                "answers are cached for images as they are, and augmentation changes them", "both",
                "leave out --teacher-cache, or /augmentation in the recipe");
  }
  if (many(job.ranks) && job.ranks->size() > plan.shards) {
    throw_error(
        Category::kUsage, "/shards", "a rank computes at least one shard of every step",
        std::to_string(job.ranks->size()) + " ranks for " + std::to_string(plan.shards) + " shards",
        "start at most " + std::to_string(plan.shards) +
            " ranks, or raise \"shards\" in the recipe, which changes the result");
  }
  if (plan.samples / plan.shards < objective.least_samples()) {
    throw_error(Category::kUsage, "/losses",
                "relations hold among the samples of a shard: at least " +
                    std::to_string(objective.least_samples()) + " of them",
                std::to_string(plan.samples) + " samples of a step in " +
                    std::to_string(plan.shards) + " shards",
                "raise `batch`, or lower `shards`");
  }
  if (objective.takes_softmax()) check_scores(job.student, "student");
  if (objective.takes_softmax_of_teacher()) check_scores(*job.teacher, "teacher");
  check_fixed_batch(job.student, "student", plan);
  if (job.teacher != nullptr && objective.needs_teacher())
    check_fixed_batch(*job.teacher, "teacher", plan);
}

}  // namespace limbeck
