#include "lib/distill/trainer.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

#include "lib/base/error.h"
#include "lib/base/format.h"
#include "lib/base/glob.h"
#include "lib/base/ordered_run.h"
#include "lib/base/progress.h"
#include "lib/distill/check_job.h"
#include "lib/distill/logits.h"
#include "lib/distill/rank_results.h"
#include "lib/distill/train_log.h"
#include "lib/distill/train_step.h"
#include "lib/distill/training_data.h"
#include "lib/distributed/world.h"
#include "lib/evaluate/evaluate.h"
#include "lib/ops/dropout_training.h"

namespace limbeck {
namespace {

using Json = nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

/// Lines of the log in one epoch, about.
constexpr int64_t kLinesPerEpoch = 20;

std::vector<Tensor> cloned(std::span<const Tensor> tensors) {
  std::vector<Tensor> copies;
  copies.reserve(tensors.size());
  for (const Tensor& tensor : tensors) copies.push_back(tensor.clone());
  return copies;
}

void add(LogSums& sums, const StepResult& step, double gradient_norm) {
  ++sums.steps;
  sums.loss += step.loss;
  sums.terms.resize(step.terms.size(), 0);
  for (size_t i = 0; i < step.terms.size(); ++i) sums.terms[i] += step.terms[i];
  sums.gradient_norm += gradient_norm;
}

void put_means(const LogSums& sums, Json& line) {
  const auto mean = [&sums](double sum) { return tidy(sum / static_cast<double>(sums.steps)); };
  line["loss"] = mean(sums.loss);
  line["losses"] = Json::array();
  for (const double term : sums.terms) line["losses"].push_back(mean(term));
  line["gradient_norm"] = mean(sums.gradient_norm);
}

std::shared_ptr<const Engine> compile_teacher(const TrainJob& job, const Objective& objective) {
  if (job.teacher == nullptr || !objective.needs_teacher()) return nullptr;
  check_taps(*job.teacher, objective.teacher_taps(), "teacher");
  EngineOptions options;
  options.taps = with_logits(objective.teacher_taps(), *job.teacher);
  return Engine::compile(*job.teacher, options);
}

int worker_threads(int threads) {
  const auto cores = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  return threads > 0 ? threads : cores;
}

TrainOptions train_options(const TrainJob& job, const Recipe& recipe, const Objective& objective) {
  check_taps(job.student, objective.student_taps(), "student");
  TrainOptions options;
  options.trainable = recipe.trainable;
  options.trainable.insert(options.trainable.end(), job.step_sizes.begin(), job.step_sizes.end());
  options.batch_norm = recipe.batch_norm;
  options.dropout = recipe.dropout;
  options.precision = recipe.precision;
  options.taps = with_logits(objective.student_taps(), job.student);
  return options;
}

/// The recipe's, without weight decay on step sizes.
OptimizerOptions optimizer_options(const TrainJob& job, const Recipe& recipe) {
  OptimizerOptions options = recipe.optimizer;
  std::vector<ParameterGroup> groups;
  for (const std::string& name : job.step_sizes) {
    const auto own =
        std::find_if(options.groups.begin(), options.groups.end(),
                     [&](const ParameterGroup& group) { return matches_glob(group.glob, name); });
    const double factor = own == options.groups.end() ? 1 : own->learning_rate_factor;
    groups.push_back({name, factor, 0.0});
  }
  options.groups.insert(options.groups.begin(), groups.begin(), groups.end());
  return options;
}

class Trainer {
 public:
  explicit Trainer(const TrainJob& job)
      : job_(job),
        ranks_(many(job.ranks) ? job.ranks : nullptr),
        recipe_(completed_recipe(job.recipe, job.teacher != nullptr, job.data.has_labels())),
        objective_(Objective::read(recipe_.losses, "/losses")),
        data_(job.data, job.training),
        plan_(plan_steps(recipe_, data_.size())),
        teacher_(compile_teacher(job, objective_)),
        student_(job.student, train_options(job, recipe_, objective_)),
        runner_(student_, objective_,
                {teacher_.get(), teacher_ == nullptr ? "" : logits_name(*job.teacher)},
                worker_threads(job.threads), ranks_) {
    check_job(job_, objective_, plan_);
  }

  TrainResult run() {
    start();
    TrainLog log(leads() ? job_.log : "", state_.log_bytes);
    log_ = &log;
    try {
      std::optional<LastWords> last_words;
      if (ranks_ != nullptr) last_words.emplace([this] { return speak_last(); });
      Progress progress("training", total_steps() - state_.step, job_.quiet || !leads());
      progress_ = &progress;
      while (!state_.stopped && state_.epochs < recipe_.epochs) {
        run_epoch();
        finish_epoch();
      }
    } catch (const Error& error) {
      if (error.category() != Category::kInterrupted) throw;
      save_interrupted();
    }
    save();
    return result();
  }

 private:
  /// Whether this process writes files.
  bool leads() const { return ranks_ == nullptr || ranks_->leads(); }

  int64_t total_steps() const { return recipe_.epochs * plan_.steps_per_epoch; }

  void use_cache() {
    if (job_.teacher_cache.empty() || teacher_ == nullptr) return;
    const TeacherCacheKey key = {job_.identity.teacher, job_.identity.data,
                                 teacher_->output_names()};
    const TeacherCacheOptions options = {job_.teacher_cache, job_.threads, job_.quiet || !leads()};
    // Rank 0 makes the file that others find, where they see the same folder.
    if (!leads()) ranks_->broadcast("");
    const auto cache = TeacherCache::open(*teacher_, job_.data, key, options);
    if (leads() && ranks_ != nullptr) ranks_->broadcast("");
    runner_.use_cache({cache, job_.training});
  }

  void start() {
    if (ranks_ != nullptr) require_same_run(*ranks_, job_.identity);
    use_cache();
    const std::vector<ShardData> probe = read_step(epoch_order(data_.size(), 0, 0), 0, 0);
    if (job_.memory_budget > 0) {
      const auto passes = std::min<int64_t>(worker_threads(job_.threads), own_count());
      student_.fit_memory(probe.front().student, job_.memory_budget / passes);
    }
    const auto loss_weights = runner_.initial_loss_weights(
        probe.front(), recipe_.seed, objective_.needs_labels() ? job_.data.numbered_folders() : 0);
    std::vector<std::string> names = student_.parameter_names();
    state_.values = student_.initial_parameters();
    for (size_t i = 0; i < loss_weights.size(); ++i) {
      loss_weights_.push_back(loss_weights[i].size());
      for (const Tensor& weight : loss_weights[i]) {
        names.push_back("losses/" + std::to_string(i) + "/" + objective_.name(i));
        state_.values.push_back(weight.clone());
      }
    }
    optimizer_ = std::make_unique<Optimizer>(optimizer_options(job_, recipe_), names);
    state_.optimizer = optimizer_->initial_state(state_.values);
    state_.statistics = student_.initial_statistics();
    if (recipe_.ema_decay > 0) state_.average = start_average(averaged());
    if (recipe_.patience > 0) state_.best = cloned(averaged());
    if (leads() && job_.resume && std::filesystem::exists(job_.checkpoint))
      state_ = load_checkpoint(job_.checkpoint, job_.identity, state_);
    if (ranks_ != nullptr) state_ = state_of_leader(*ranks_, state_, job_.identity);
    check_position();
  }

  /// Shards of this process.
  int64_t own_count() const {
    const RankShare own = own_shards(ranks_, plan_);
    return static_cast<int64_t>(own.last - own.first);
  }

  /// The checksum holds, but a file is what somebody wrote.
  void check_position() const {
    const int64_t begun = state_.epochs * plan_.steps_per_epoch;
    const bool inside = state_.epochs <= recipe_.epochs && state_.step >= begun &&
                        state_.step <= std::min(begun + plan_.steps_per_epoch, total_steps());
    if (inside) return;
    throw_error(
        Category::kData, job_.checkpoint.string(), "a checkpoint must lie within the run",
        "step " + std::to_string(state_.step) + " in epoch " + std::to_string(state_.epochs + 1),
        "delete it and train from the start");
  }

  std::span<const Tensor> parameters() const {
    return std::span(state_.values).first(student_.tape().parameters().size());
  }

  /// The student's weights and running statistics in one list; shares the tensors.
  std::vector<Tensor> averaged() const {
    const auto weights = parameters();
    std::vector<Tensor> list(weights.begin(), weights.end());
    list.insert(list.end(), state_.statistics.begin(), state_.statistics.end());
    return list;
  }

  /// What would be handed out now: the average where there is one.
  std::vector<Tensor> candidate() const {
    return state_.average.values.empty() ? averaged() : state_.average.values;
  }

  Model student_with(const std::vector<Tensor>& list) const {
    const size_t count = student_.tape().parameters().size();
    return student_.with(std::span(list).first(count), std::span(list).subspan(count));
  }

  std::vector<ShardData> read_step(const std::vector<int64_t>& order, int64_t step,
                                   int64_t epoch) const {
    const int64_t first = (step % plan_.steps_per_epoch) * plan_.samples;
    const auto indices =
        std::span(order).subspan(static_cast<size_t>(first), static_cast<size_t>(plan_.samples));
    return runner_.read(data_, indices, plan_, recipe_.augmentation, recipe_.seed,
                        static_cast<uint32_t>(epoch));
  }

  /// The next step is read while this one is computed.
  void run_epoch() {
    const int64_t first = state_.step;
    const int64_t count = (state_.epochs + 1) * plan_.steps_per_epoch - first;
    const std::vector<int64_t> order =
        epoch_order(data_.size(), recipe_.seed, static_cast<uint32_t>(state_.epochs));
    std::vector<std::vector<ShardData>> waiting(static_cast<size_t>(count));
    run_in_order(
        count, 1,
        [&](int64_t i) {
          waiting[static_cast<size_t>(i)] = read_step(order, first + i, state_.epochs);
        },
        [&](int64_t i) {
          const std::vector<ShardData> shards = std::move(waiting[static_cast<size_t>(i)]);
          run_step(shards);
        });
  }

  void run_step(const std::vector<ShardData>& shards) {
    const uint64_t seed = derived_seed(recipe_.seed, static_cast<uint64_t>(state_.step));
    const double progress = static_cast<double>(state_.step) / static_cast<double>(total_steps());
    StepResult step = runner_.run(shards, plan_, state_.values, loss_weights_, seed, progress);
    const double rate = learning_rate(recipe_.schedule, state_.step, total_steps());
    const double norm = std::isfinite(step.loss) ? optimizer_->update(state_.values, step.gradients,
                                                                      rate, state_.optimizer)
                                                 : step.loss;
    if (!std::isfinite(norm)) stop_at_bad_number(shards, step, seed);
    update_statistics(student_.tape().batch_norms(), step.statistics, state_.statistics);
    if (recipe_.ema_decay > 0) update_average(state_.average, averaged(), recipe_.ema_decay);
    ++state_.step;
    add(state_.group, step, norm);
    add(state_.epoch, step, norm);
    log_steps(rate);
    progress_->advance(1);
    if (state_.step == (state_.epochs + 1) * plan_.steps_per_epoch) {
      for (size_t i = 0; i < parameters().size(); ++i) check_weight(i);
    }
    save_when_due();
    if (job_.after_step) job_.after_step(state_.step);
  }

  /// The last update of a run, or of an epoch, is followed by no step that would meet it.
  void check_weight(size_t parameter) const {
    const Parameter& known = student_.tape().parameters()[parameter];
    const auto values = parameters()[parameter].as<float>();
    const auto initial = known.initial.as<float>();
    for (size_t i = 0; i < values.size(); ++i) {
      // A mask may hold infinities from the start.
      if (!std::isfinite(values[i]) && std::isfinite(initial[i]))
        refuse_bad_number("weight '" + known.name + "'", state_.step);
    }
  }

  [[noreturn]] void stop_at_bad_number(const std::vector<ShardData>& shards, const StepResult& step,
                                       uint64_t seed) const {
    std::string layer;
    for (size_t i = 0; i < shards.size() && layer.empty(); ++i) {
      layer = first_bad_layer(student_, parameters(), shards[i].student, step.gradients,
                              derived_seed(seed, own_shards(ranks_, plan_).first + i));
    }
    if (ranks_ != nullptr) layer = first_text(*ranks_, layer);
    refuse_bad_number(layer.empty() ? "the loss" : layer, state_.step + 1);
  }

  [[noreturn]] void refuse_bad_number(const std::string& place, int64_t step) const {
    const bool kept = !job_.checkpoint.empty() && std::filesystem::exists(job_.checkpoint);
    throw_error(Category::kData, place, "every value must stay finite while the student trains",
                "NaN or infinity in step " + std::to_string(step) + ", epoch " +
                    std::to_string(state_.epochs + 1),
                "lower schedule/learning_rate or set optimizer/clip_norm" +
                    (kept ? "; the last checkpoint is kept in " + job_.checkpoint.string() : ""));
  }

  void log_steps(double rate) {
    const int64_t group = std::max<int64_t>(1, plan_.steps_per_epoch / kLinesPerEpoch);
    const int64_t inside = state_.step - state_.epochs * plan_.steps_per_epoch;
    if (inside % group != 0 && inside != plan_.steps_per_epoch) return;
    Json line = {{"kind", "steps"}, {"epoch", state_.epochs + 1}, {"step", state_.step}};
    put_means(state_.group, line);
    line["learning_rate"] = tidy(rate);
    append(line);
    state_.group = {};
  }

  void append(const Json& line) {
    log_->append(line);
    state_.log_bytes = log_->bytes();
  }

  /// Nothing changes before the validation is there: a signal may stop it.
  void finish_epoch() {
    Json line = {{"kind", "epoch"}, {"epoch", state_.epochs + 1}, {"step", state_.step}};
    put_means(state_.epoch, line);
    const std::optional<double> score =
        ranks_ == nullptr ? validate(line)
                          : score_of_leader(*ranks_, [&] { return validate(line); });
    ++state_.epochs;
    if (recipe_.patience > 0) judge(score);
    append(line);
    state_.epoch = {};
    save_when_due();
  }

  /// Top-1 in percent where there are labels, else agreement with the teacher; nothing without
  /// held-out samples or class scores.
  std::optional<double> validate(Json& line) const {
    if (job_.validation.empty()) return std::nullopt;
    EvaluateOptions options;
    options.indices = job_.validation;
    options.threads = job_.threads;
    options.quiet = true;
    const bool labels = job_.data.has_labels();
    Model student = student_with(candidate());
    if (job_.judged_as) student = job_.judged_as(student);
    const Metrics metrics =
        evaluate(student, labels ? nullptr : job_.teacher, job_.data, options).metrics;
    const auto& score = labels ? metrics.top1 : metrics.agreement;
    if (!score) return std::nullopt;
    line["validation"] = {{"samples", metrics.samples},
                          {labels ? "top1" : "agreement", tidy(*score)}};
    if (metrics.loss) line["validation"]["loss"] = tidy(*metrics.loss);
    return score;
  }

  void judge(const std::optional<double>& score) {
    if (!score) {
      throw_error(Category::kUsage, "/early_stopping",
                  "early stopping needs class scores, an output of samples x classes", "none",
                  "leave early_stopping out of the recipe");
    }
    if (state_.best_epoch == 0 || *score > state_.best_score) {
      state_.best = cloned(candidate());
      state_.best_score = *score;
      state_.best_epoch = state_.epochs;
    }
    state_.stopped = state_.epochs - state_.best_epoch >= recipe_.patience;
  }

  void save() {
    if (job_.checkpoint.empty() || !leads()) return;
    save_checkpoint(state_, job_.identity, job_.checkpoint);
    saved_ = Clock::now();
  }

  void save_when_due() {
    const std::chrono::duration<double, std::ratio<60>> elapsed = Clock::now() - saved_;
    if (elapsed.count() >= recipe_.checkpoint_minutes) save();
  }

  Error interruption() const {
    const bool alone = ranks_ == nullptr;
    const std::string others = alone ? "" : std::to_string(ranks_->size());
    return Error(
        {Category::kInterrupted, "limbeck",
         alone ? "the job was stopped by a signal"
               : "the job was stopped by a signal, which mpirun also sends when another of the " +
                     others + " ranks has ended",
         "step " + std::to_string(state_.step) + " of " + std::to_string(total_steps()),
         job_.checkpoint.empty() ? "run the command again"
         : alone                 ? "run the command again with --resume"
                                 : "run the command again with --resume, on any number of ranks"});
  }

  [[noreturn]] void save_interrupted() {
    save();
    throw interruption();
  }

  /// The main thread waits for ranks that are gone: the state is that of the last whole step.
  std::string speak_last() {
    try {
      save();
      return leads() ? std::string("limbeck: ") + interruption().what() : "";
    } catch (const Error& error) {
      return std::string("limbeck: ") + error.what();
    }
  }

  TrainResult result() const {
    const bool early = recipe_.patience > 0 && state_.best_epoch > 0;
    return {student_with(early ? state_.best : candidate()), state_.step, state_.epochs,
            early ? state_.best_epoch : 0, state_.stopped};
  }

  const TrainJob& job_;
  Communicator* ranks_;  ///< null: this process alone
  Recipe recipe_;
  Objective objective_;
  SubsetDataset data_;
  StepPlan plan_;
  std::shared_ptr<const Engine> teacher_;
  Student student_;
  StepRunner runner_;
  std::vector<size_t> loss_weights_;  ///< how many each loss trains
  std::unique_ptr<Optimizer> optimizer_;
  TrainState state_;
  TrainLog* log_ = nullptr;
  Progress* progress_ = nullptr;
  Clock::time_point saved_ = Clock::now();
};

}  // namespace

Recipe completed_recipe(Recipe recipe, bool teacher, bool labels) {
  if (recipe.losses.is_null()) recipe.losses = default_losses(teacher, labels);
  return recipe;
}

TrainResult train(const TrainJob& job) { return Trainer(job).run(); }

}  // namespace limbeck
