#include "tools/job.h"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/base/format.h"
#include "lib/base/process_memory.h"
#include "lib/base/schema.h"
#include "lib/data/dataset.h"
#include "lib/engine/stream.h"
#include "lib/model/model_files.h"
#include "lib/quantize/quantize.h"
#include "tools/job_report.h"
#include "tools/output_files.h"

namespace limbeck {
namespace {

namespace fs = std::filesystem;

/// Runs a job step by step; members are what later steps need.
class QuantizeRun {
 public:
  explicit QuantizeRun(const QuantizeJob& job) : job_(job) {}

  void run() {
    PlanOptions options = job_.plan_options;
    for (const std::string& text : job_.overrides)
      options.overrides.push_back(parse_override(text));
    source_ = load_model(job_.model);
    require_float(source_, job_.model);
    model_hash_ = model_files(job_.model).hash;
    if (!job_.plan.empty()) {
      plan_ = saved_plan();
      options = options_of(plan_);
    }
    if (!job_.data.empty()) data_ = open_dataset(job_.data);
    if (!job_.eval.empty()) eval_ = open_dataset(job_.eval);
    prepared_ = prepare_model(source_, options);
    require_matches(prepared_, options.overrides);
    const OutputFolder folder(job_.output);
    table_ = obtain_table(options);
    if (job_.plan.empty()) plan_ = make_plan(prepared_, table_, options);
    require_integers(plan_, job_.model);
    require_widths(plan_, options, job_.model);
    plan_.model_hash = model_hash_;  // a dynamic plan has no table to take it from
    const AppliedPlan applied = emit_plan(prepared_, plan_, table_.means);
    emit(applied);
  }

 private:
  void emit(const AppliedPlan& applied) {
    StagedFiles files(job_.output);
    const std::string name =
        fs::path(job_.model).stem().string() + "." + format_suffix(plan_) + ".onnx";
    JobResult result{job_,       source_,  plan_, table_, applied, files.folder() / name,
                     held_out(), started_, {}};
    save_model(applied.model, result.emitted);
    const nlohmann::ordered_json report = report_job(result, eval_ ? eval_.get() : data_.get());
    result.integer_mac_share = integer_mac_share(result, report);
    save_plan(files.folder());
    // What an earlier run measured does not belong to the model that is written now.
    for (const char* earlier : {"report.json", "report.html"}) files.replaces(earlier);
    files.replaces(name + ".data");
    files.publish("plan.json");
    result.emitted = fs::path(job_.output) / name;
    print_job(result, report);
  }

  /// A saved plan holds the ranges, but correcting biases takes the means of activations once more.
  /// Dynamic quantization observes nothing.
  CalibrationTable obtain_table(const PlanOptions& plan_options) {
    const bool finished = !job_.plan.empty() && !plan_.correct_bias;
    if (finished || plan_options.format == EmitFormat::kDynamic) return CalibrationTable{};
    if (!job_.table.empty()) {
      CalibrationTable table = load_table(job_.table);
      require_model(table, model_hash_, job_.table);
      return table;
    }
    if (data_ == nullptr) {
      throw_error(Category::kUsage, job_.plan,
                  "a plan with \"correct_bias\": true needs the means of activations once more",
                  "neither --data nor --calibration",
                  "give one of them, or set \"correct_bias\" to false in the plan");
    }
    CalibrationOptions options;
    options.samples = calibration_samples();
    options.seed = seed();
    options.threads = job_.common.threads;
    options.quiet = job_.common.quiet;
    options.tensors = activations_to_observe(prepared_);
    return calibrate(prepared_, *data_, model_hash_, options);
  }

  /// A plan that is fed back is made complete with the samples that it was made from.
  bool follows_plan() const { return !job_.plan.empty() && plan_.calibration.samples > 0; }
  uint64_t seed() const {
    return follows_plan() && !job_.own_seed ? plan_.calibration.seed : job_.common.seed;
  }

  /// When the report needs samples of the same data, a fifth of a small data set is held out for
  /// it.
  int64_t calibration_samples() const {
    const int64_t size = data_->size();
    const int64_t wanted = job_.samples.value_or(follows_plan() ? plan_.calibration.samples
                                                                : CalibrationOptions().samples);
    if (job_.no_report || eval_ || follows_plan()) return std::min(size, wanted);
    return std::min(wanted, std::max<int64_t>(1, size - size / 5));
  }

  /// Samples of the calibration data that neither ranges nor means were observed on.
  std::vector<int64_t> held_out() const {
    if (data_ == nullptr || job_.no_report || eval_) return {};
    std::vector<bool> used(static_cast<size_t>(data_->size()), false);
    const PlanSource means{table_.samples, table_.seed, table_.data_hash};
    for (const PlanSource& source : {plan_.calibration, means}) {
      if (source.samples == 0 || source.data_hash != data_->hash()) continue;
      for (const int64_t index : sample_order(data_->size(), source.samples, source.seed))
        used[static_cast<size_t>(index)] = true;
    }
    std::vector<int64_t> order = sample_order(data_->size(), 0, seed());
    std::erase_if(order, [&](int64_t index) { return used[static_cast<size_t>(index)]; });
    const int64_t limit = job_.eval_samples > 0 ? job_.eval_samples : kHeldOut;
    if (static_cast<int64_t>(order.size()) > limit) order.resize(static_cast<size_t>(limit));
    const auto batch = static_cast<size_t>(std::max<int64_t>(1, fixed_batch(source_)));
    if (job_.eval_samples == 0 && order.size() > batch) order.resize(order.size() / batch * batch);
    return order;
  }

  Plan saved_plan() const {
    Plan plan = plan_from_json(parse_json(read_file(job_.plan), job_.plan), job_.plan);
    if (plan.model_hash == model_hash_) return plan;
    throw_error(Category::kUsage, job_.plan, "a plan belongs to the model it was made for",
                "a plan for the model with SHA-256 " + plan.model_hash,
                "make a plan from this model with --save-plan");
  }

  void save_plan(const fs::path& folder) const {
    // Names in a model file need not be UTF-8.
    constexpr auto kReplace = nlohmann::json::error_handler_t::replace;
    const std::string text = plan_to_json(plan_).dump(2, ' ', false, kReplace) + "\n";
    write_file_atomically(folder / "plan.json", text);
    if (!job_.save_plan.empty()) write_file_atomically(job_.save_plan, text);
  }

  const QuantizeJob& job_;
  JobClock started_ = JobClock::now();
  Model source_;
  std::string model_hash_;
  Model prepared_;
  std::unique_ptr<Dataset> data_;
  std::unique_ptr<Dataset> eval_;
  CalibrationTable table_;
  Plan plan_;
};

}  // namespace

void check_job(const QuantizeJob& job) {
  std::string complaints;
  const auto complain = [&complaints](const std::string& text) {
    complaints += (complaints.empty() ? "" : "; ") + text;
  };
  const bool dynamic = job.plan_options.format == EmitFormat::kDynamic;
  if (!dynamic && job.data.empty() && job.table.empty() && job.plan.empty())
    complain(
        "calibration needs real inputs: --data, --calibration or --plan (limbeck never invents "
        "inputs)");
  if (!job.plan.empty() && !job.beside_plan.empty())
    complain("--plan decides formats and ranges: edit it instead of giving " +
             joined_names(job.beside_plan));
  if (!job.table.empty() && job.no_report && !job.data.empty())
    complain(
        "--calibration holds what was observed: --data would serve the report alone, which "
        "--no-report leaves out");
  if (!job.table.empty() && job.samples)
    complain("--calibration holds its samples already: leave --samples out");
  if (!job.no_report && job.eval.empty() && job.data.empty())
    complain("a report needs --eval or --data, or pass --no-report");
  const PlanOptions& plan = job.plan_options;
  const bool plain = bits_per_element(plan.weights) == 8 && bits_per_element(plan.activations) == 8;
  if (plan.format == EmitFormat::kQOperator && !plain)
    complain("--format qoperator needs 8-bit weights and activations");
  if (dynamic && plan.weights != DataType::kInt8) complain("--dynamic has int8 weights");
  if (dynamic && !job.beside_dynamic.empty())
    complain("--dynamic observes nothing and its activations are uint8: leave out " +
             joined_names(job.beside_dynamic));
  if (dynamic && job.no_report && !job.data.empty())
    complain("--dynamic uses --data for the report alone: leave out one of --data and --no-report");
  if (job.no_report && !job.eval.empty())
    complain("--no-report measures nothing: leave --eval out");
  if (job.no_report && job.eval_samples > 0)
    complain("--no-report measures nothing: leave --eval-samples out");
  if (job.own_patience && job.metric_command.empty())
    complain("--metric-patience belongs to --metric-command");
  if (job.no_report && !job.metric_command.empty())
    complain("--metric-command needs a report: leave --no-report out");
  if (complaints.empty()) return;
  throw_error(Category::kUsage, "limbeck quantize", complaints, "", "see limbeck quantize --help");
}

PlanOptions plan_options(const std::string& weights, const std::string& activations,
                         const std::string& observer) {
  static const std::map<std::string, DataType> kTypes = {
      {"int8", DataType::kInt8},     {"uint8", DataType::kUint8}, {"int16", DataType::kInt16},
      {"uint16", DataType::kUint16}, {"uint4", DataType::kUint4}, {"int4", DataType::kInt4}};
  PlanOptions options;
  options.weights = kTypes.at(weights);
  options.activations = kTypes.at(activations);
  options.keep_ends = options.activations == DataType::kUint4;
  options.observer = observer_from_name(observer);
  return options;
}

void run_quantize(const QuantizeJob& job) {
  check_job(job);
  require_parent_folder(job.save_plan);
  const InputFiles inputs{{job.model}, {job.data, job.eval}, {job.table, job.plan}};
  if (!job.save_plan.empty()) require_kept({job.save_plan}, inputs);
  // A plan is fed back into its own folder, and replaced by its equal.
  const InputFiles kept{{job.model}, {job.data, job.eval}, {job.table}};
  const fs::path output = job.output;
  require_kept({output / "plan.json", output / "report.json", output / "report.html"}, kept);
  hand_back_freed_memory();
  QuantizeRun(job).run();
}

}  // namespace limbeck
