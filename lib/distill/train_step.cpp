#include "lib/distill/train_step.h"

#include <algorithm>

#include "lib/base/error.h"
#include "lib/base/ordered_run.h"
#include "lib/distill/rank_results.h"
#include "lib/engine/stream.h"
#include "lib/evaluate/scores.h"

namespace limbeck {
namespace {

void add_to(Tensor& sum, const Tensor& part) {
  const auto from = part.as<float>();
  const auto to = sum.mutable_as<float>();
  for (size_t i = 0; i < to.size(); ++i) to[i] += from[i];
}

std::map<std::string, Tensor> tapped(const std::vector<std::string>& wanted,
                                     const std::vector<std::string>& names,
                                     const std::vector<Tensor>& outputs) {
  std::map<std::string, Tensor> taps;
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (std::find(wanted.begin(), wanted.end(), names[i]) != wanted.end())
      taps.emplace(names[i], outputs[i]);
  }
  return taps;
}

size_t position_of(const std::string& name, const std::vector<std::string>& names) {
  return static_cast<size_t>(std::find(names.begin(), names.end(), name) - names.begin());
}

/// Losses on logits would soften probabilities a second time.
void require_logits(const Tensor& scores, const std::string& whose) {
  if (scores.type() != DataType::kFloat || scores.rank() < 2 || scores.dim(0) == 0) return;
  const auto values = scores.as<float>();
  const size_t rows = static_cast<size_t>(scores.dim(0));
  const size_t width = values.size() / rows;
  for (size_t row = 0; row < rows; ++row) {
    if (!looks_like_probabilities(values.subspan(row * width, width))) return;
  }
  throw_error(
      Category::kUsage, whose,
      "losses on class scores read logits: the first output, or what the Softmax that makes "
      "it reads",
      "rows of probabilities", "make Softmax the last operator, or export without it");
}

std::map<std::string, Dims> dims_of(const std::map<std::string, Tensor>& taps) {
  std::map<std::string, Dims> dims;
  for (const auto& [name, tensor] : taps) dims.emplace(name, tensor.dims());
  return dims;
}

/// The losses of all shards, in shard order.
void add_losses(const std::vector<ShardReport>& shards, StepResult& step) {
  for (const ShardReport& shard : shards) {
    step.loss += shard.loss;
    step.terms.resize(shard.terms.size(), 0);
    for (size_t i = 0; i < shard.terms.size(); ++i) step.terms[i] += shard.terms[i];
    step.statistics.push_back(shard.statistics);
  }
}

/// The gradients of the losses' own weights.
void add_loss_weights(const std::vector<ObjectiveResult>& shards, Communicator* ranks,
                      StepResult& step) {
  if (ranks != nullptr) {
    std::vector<std::vector<Tensor>> own(shards.size());
    for (size_t i = 0; i < shards.size(); ++i) {
      for (const auto& term : shards[i].weights)
        own[i].insert(own[i].end(), term.begin(), term.end());
    }
    for (Tensor& sum : sum_over_ranks(*ranks, own)) step.gradients.push_back(std::move(sum));
    return;
  }
  for (size_t term = 0; term < shards.front().weights.size(); ++term) {
    for (size_t w = 0; w < shards.front().weights[term].size(); ++w) {
      Tensor sum = shards.front().weights[term][w].clone();
      for (size_t i = 1; i < shards.size(); ++i) add_to(sum, shards[i].weights[term][w]);
      step.gradients.push_back(std::move(sum));
    }
  }
}

std::vector<std::vector<Tensor>> by_loss(std::span<const Tensor> weights,
                                         const std::vector<size_t>& counts) {
  std::vector<std::vector<Tensor>> result;
  size_t next = 0;
  for (const size_t count : counts) {
    result.emplace_back(weights.begin() + static_cast<std::ptrdiff_t>(next),
                        weights.begin() + static_cast<std::ptrdiff_t>(next + count));
    next += count;
  }
  return result;
}

}  // namespace

StepPlan plan_steps(const Recipe& recipe, int64_t training_samples) {
  StepPlan plan;
  plan.samples = std::min(recipe.batch * recipe.accumulation, training_samples);
  plan.shards = std::min(recipe.shards * recipe.accumulation, plan.samples);
  plan.steps_per_epoch = training_samples / plan.samples;
  return plan;
}

RankShare own_shards(const Communicator* ranks, const StepPlan& plan) {
  const auto count = static_cast<size_t>(plan.shards);
  return many(ranks) ? share_of(*ranks, count) : RankShare{0, count};
}

std::vector<ShardData> StepRunner::read(const Dataset& dataset, std::span<const int64_t> indices,
                                        const StepPlan& plan,
                                        const AugmentationOptions& augmentation, uint64_t seed,
                                        uint32_t epoch) const {
  const RankShare own = own_shards(ranks_, plan);
  std::vector<ShardData> shards(own.last - own.first);
  const auto total = static_cast<int64_t>(indices.size());
  const auto read_shard = [&](int64_t index) {
    const int64_t i = static_cast<int64_t>(own.first) + index;
    const int64_t first = i * total / plan.shards;
    const int64_t last = (i + 1) * total / plan.shards;
    const auto part =
        indices.subspan(static_cast<size_t>(first), static_cast<size_t>(last - first));
    AugmentedBatch read = read_augmented(dataset, part, augmentation, seed, epoch);
    ShardData& shard = shards[static_cast<size_t>(index)];
    shard.samples = last - first;
    shard.student = named_inputs(student_.tape().input_names(), dataset, read.batch);
    if (teacher_.engine != nullptr)
      shard.teacher = engine_inputs(*teacher_.engine, dataset, read.batch);
    shard.labels = std::move(read.labels);
    shard.indices = std::move(read.batch.indices);
  };
  run_in_order(static_cast<int64_t>(shards.size()), threads_, read_shard, [](int64_t) {});
  return shards;
}

std::vector<std::vector<Tensor>> StepRunner::initial_loss_weights(const ShardData& probe,
                                                                  uint64_t seed,
                                                                  int64_t folders) const {
  const std::vector<Tensor> parameters = student_.initial_parameters();
  const Pass pass = student_.tape().forward(parameters, probe.student, seed);
  const ObjectiveInput input = objective_input(probe, pass);
  if (folders > 0 && input.student_logits.rank() > 1)
    check_folders(folders, input.student_logits.dim(1));
  if (objective_.takes_softmax()) require_logits(input.student_logits, "student");
  if (objective_.takes_softmax_of_teacher()) require_logits(input.teacher_logits, "teacher");
  return objective_.initial_weights(dims_of(input.student_taps), dims_of(input.teacher_taps), seed);
}

ObjectiveInput StepRunner::objective_input(const ShardData& shard, const Pass& pass) const {
  ObjectiveInput input;
  const auto& names = student_.tape().output_names();
  input.student_logits = pass.outputs[position_of(student_logits_, names)];
  input.student_taps = tapped(objective_.student_taps(), names, pass.outputs);
  input.labels = shard.labels;
  if (teacher_.engine == nullptr) return input;
  const std::vector<Tensor> answers = teacher_answers(shard);
  const auto& teacher_names = teacher_.engine->output_names();
  input.teacher_logits = answers[position_of(teacher_.logits, teacher_names)];
  input.teacher_taps = tapped(objective_.teacher_taps(), teacher_names, answers);
  return input;
}

std::vector<Tensor> StepRunner::teacher_answers(const ShardData& shard) const {
  if (cached_.cache == nullptr) return teacher_.engine->run(shard.teacher);
  std::vector<int64_t> rows;
  for (const int64_t index : shard.indices)
    rows.push_back(cached_.rows[static_cast<size_t>(index)]);
  return cached_.cache->read(rows);
}

std::vector<Tensor> StepRunner::output_gradients(const ObjectiveResult& result) const {
  const auto& names = student_.tape().output_names();
  std::vector<Tensor> gradients(names.size());
  for (const auto& [name, gradient] : result.student_taps)
    gradients[position_of(name, names)] = gradient;  // once, also where an output is tapped
  Tensor& logits = gradients[position_of(student_logits_, names)];
  if (logits.empty()) {
    logits = result.student_logits;
  } else if (!result.student_logits.empty()) {
    logits = logits.clone();
    add_to(logits, result.student_logits);
  }
  return gradients;
}

StepResult StepRunner::run(const std::vector<ShardData>& shards, const StepPlan& plan,
                           std::span<const Tensor> values, const std::vector<size_t>& loss_weights,
                           uint64_t seed, double progress) const {
  const size_t parameters = student_.tape().parameters().size();
  const auto weights = by_loss(values.subspan(parameters), loss_weights);
  std::vector<std::vector<Tensor>> inputs;
  inputs.reserve(shards.size());
  for (const ShardData& shard : shards) inputs.push_back(shard.student);
  std::vector<ObjectiveResult> results(shards.size());
  const ShardLoss loss = [&](size_t i, const Pass& pass) {
    ObjectiveInput input = objective_input(shards[i], pass);
    input.weights = weights;
    input.batch = plan.samples;
    input.progress = progress;
    results[i] = objective_.evaluate(input);
    std::vector<Tensor> gradients = output_gradients(results[i]);
    results[i].student_logits = {};
    results[i].student_taps.clear();
    return gradients;
  };
  ShardedGradients sums = run_shards(student_.tape(), values.first(parameters), inputs, seed, loss,
                                     threads_, {ranks_, own_shards(ranks_, plan).first});
  StepResult step;
  step.gradients = std::move(sums.parameters);
  if (plan.shards == 1) {
    // Sums are fresh; what one pass hands out may share bytes, and clipping writes into it.
    for (Tensor& gradient : step.gradients) gradient = gradient.clone();
  }
  std::vector<ShardReport> reports;
  for (size_t i = 0; i < shards.size(); ++i)
    reports.push_back({results[i].loss, results[i].terms, std::move(sums.statistics[i])});
  if (ranks_ != nullptr) reports = reports_of_all(*ranks_, reports);
  add_losses(reports, step);
  add_loss_weights(results, ranks_, step);
  return step;
}

}  // namespace limbeck
