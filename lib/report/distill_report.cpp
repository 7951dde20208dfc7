#include "lib/report/distill_report.h"

#include <cmath>

#include "lib/base/file.h"
#include "lib/base/format.h"
#include "lib/base/schema.h"
#include "lib/base/version.h"
#include "lib/evaluate/metrics_json.h"
#include "lib/report/json_text.h"
#include "lib/report/report_parts.h"

namespace limbeck {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kDistillReportVersion = 1;

Json model_json(const MeasuredModel& model) {
  Json result = file_json(model.file);
  result["weight_bytes"] = model.weight_bytes;
  result["macs"] = model.macs;
  return result;
}

Json files_json(const DistillReportInputs& inputs) {
  Json files = Json::object();
  if (inputs.teacher) files["teacher"] = model_json(*inputs.teacher);
  files["student"] = model_json(inputs.before);
  files["model"] = model_json(inputs.after);
  if (inputs.baseline) files["baseline"] = model_json(*inputs.baseline);
  return files;
}

/// Nothing without labels.
std::optional<PairedComparison> paired(const MeasuredModel& a, const MeasuredModel& b) {
  if (a.evaluation.records.empty() || b.evaluation.records.empty()) return std::nullopt;
  return compare_records(stored_records(a.evaluation.records),
                         stored_records(b.evaluation.records));
}

void put_paired(Json& target, const char* name, const std::optional<PairedComparison>& comparison) {
  if (comparison) target[name] = paired_json(*comparison);
}

Json evaluation_json(const DistillReportInputs& inputs) {
  Json result = {{"data_hash", inputs.evaluation_data_hash}, {"source", inputs.evaluation_source}};
  if (inputs.teacher) result["teacher"] = metrics_json(inputs.teacher->evaluation.metrics);
  result["student"] = metrics_json(inputs.before.evaluation.metrics);
  result["model"] = metrics_json(inputs.after.evaluation.metrics);
  if (inputs.baseline) result["baseline"] = metrics_json(inputs.baseline->evaluation.metrics);
  result["paired"] = Json::object();
  put_paired(result["paired"], "student", paired(inputs.before, inputs.after));
  if (inputs.teacher)
    put_paired(result["paired"], "teacher", paired(*inputs.teacher, inputs.after));
  if (inputs.baseline)
    put_paired(result["paired"], "baseline", paired(*inputs.baseline, inputs.after));
  if (!inputs.domain.empty()) result["domain"] = domain_json(inputs);
  return result;
}

/// Columns, one entry a line of the log.
Json curves_json(const std::vector<nlohmann::json>& log) {
  Json steps = {{"step", Json::array()}, {"loss", Json::array()}, {"learning_rate", Json::array()}};
  Json epochs = {{"epoch", Json::array()}, {"loss", Json::array()}};
  for (const nlohmann::json& line : log) {
    const bool epoch = line.at("kind") == "epoch";
    Json& curve = epoch ? epochs : steps;
    for (const auto& [name, column] : curve.items()) {
      if (column.is_array() && line.contains(name)) curve[name].push_back(Json(line.at(name)));
    }
    if (!epoch || !line.contains("validation")) continue;
    for (const char* name : {"top1", "agreement"}) {
      if (line.at("validation").contains(name))
        epochs["validation"][name].push_back(Json(line.at("validation").at(name)));
    }
  }
  return {{"steps", steps}, {"epochs", epochs}};
}

Json training_json(const TrainingRun& run) {
  Json result = {
      {"steps", run.steps}, {"epochs", run.epochs}, {"stopped_early", run.stopped_early}};
  if (run.best_epoch > 0) result["best_epoch"] = run.best_epoch;
  result["curves"] = curves_json(run.log);
  return result;
}

std::string percent(double value) { return fixed(value, 2) + " %"; }

std::string change_text(const PairedComparison& change, const std::string& other) {
  if (change.only_a_correct == change.only_b_correct) return "as good as " + other;
  return fixed(std::abs(change.difference), 2) + " points " +
         (change.difference > 0 ? "above " : "below ") + other +
         (change.significant ? "" : " (within noise)") + ", McNemar p " +
         (change.p_value < 0.001 ? "" : "= ") + readable_p(change.p_value);
}

/// "; 97.20 % in the domain and 12.00 % outside".
std::string domain_text(const DistillReportInputs& inputs) {
  if (inputs.domain.empty()) return "";
  const Json domain = domain_json(inputs);
  std::string text;
  for (const auto& [part, where] :
       {std::pair("inside", " in the domain"), {"outside", " outside"}}) {
    if (!domain.contains(part)) continue;
    text +=
        (text.empty() ? "; " : " and ") + percent(domain.at(part).at("model").at("top1")) + where;
  }
  return text;
}

/// One sentence: how good the student is, and against what.
std::string verdict_text(const DistillReportInputs& inputs) {
  const Metrics& metrics = inputs.after.evaluation.metrics;
  const std::string samples = grouped(metrics.samples) + " samples";
  if (!metrics.top1) {
    if (metrics.agreement)
      return "The student answers like its teacher on " + percent(*metrics.agreement) + " of " +
             samples + "; without labels accuracy itself is not judged.";
    return "The student ran on " + samples + "; without labels or class scores nothing is judged.";
  }
  std::string text = "Top-1 is " + percent(*metrics.top1) + " on " + samples;
  if (const auto change = paired(inputs.before, inputs.after))
    text += "; that is " + change_text(*change, "the student as it was given");
  if (inputs.baseline) {
    if (const auto change = paired(*inputs.baseline, inputs.after))
      text += "; " + change_text(*change, "the same student trained without a teacher");
  }
  return text + domain_text(inputs) + ".";
}

std::string judgement_of(const DistillReportInputs& inputs) {
  const auto change = paired(inputs.before, inputs.after);
  if (!change) return "unknown";
  if (change->only_a_correct == change->only_b_correct) return "same";
  if (!change->significant) return "noise";
  return change->difference < 0 ? "loss" : "gain";
}

Json headline_json(const DistillReportInputs& inputs) {
  const Metrics& metrics = inputs.after.evaluation.metrics;
  Json result = {{"verdict", verdict_text(inputs)}, {"judgement", judgement_of(inputs)}};
  if (inputs.teacher) put(&result, "teacher_top1", inputs.teacher->evaluation.metrics.top1);
  put(&result, "student_top1", inputs.before.evaluation.metrics.top1);
  put(&result, "top1", metrics.top1);
  if (inputs.baseline) put(&result, "baseline_top1", inputs.baseline->evaluation.metrics.top1);
  put(&result, "agreement", metrics.agreement);
  return result;
}

void put_records(Json& records, const char* name, const MeasuredModel& model) {
  const auto stored = stored_records(model.evaluation.records);
  if (!stored.empty()) records[name] = records_json(stored);
}

}  // namespace

Json make_distill_report(const DistillReportInputs& inputs) {
  Json report = {{"version", kDistillReportVersion},
                 {"generator", "limbeck " + std::string(kVersion)},
                 {"headline", headline_json(inputs)},
                 {"files", files_json(inputs)},
                 {"recipe", inputs.recipe}};
  report["recipe_hash"] = inputs.recipe_hash;
  report["data"] = {{"hash", inputs.training_data_hash},
                    {"training_samples", inputs.training_samples},
                    {"validation_samples", inputs.validation_samples}};
  if (inputs.shrunk != nullptr)
    report["shrink"] = shrink_json(*inputs.shrunk, inputs.shrink_options);
  report["training"] = training_json(inputs.training);
  if (inputs.baseline) report["baseline_training"] = training_json(inputs.baseline_training);
  report["evaluation"] = evaluation_json(inputs);
  report["records"] = Json::object();
  if (inputs.teacher) put_records(report["records"], "teacher", *inputs.teacher);
  put_records(report["records"], "student", inputs.before);
  put_records(report["records"], "model", inputs.after);
  if (inputs.baseline) put_records(report["records"], "baseline", *inputs.baseline);
  report["run"] = run_json(inputs.run);
  return report;
}

void write_distill_report(const Json& report, const std::filesystem::path& folder) {
  const std::filesystem::path json_path = folder / "report.json";
  const std::string text = json_text(report);
  const nlohmann::json document = parse_json(text, json_path.string());
  validate_json(document, "distill_report", json_path.string());
  const std::string page = render_distill_html(document);
  AtomicFile json_file(json_path);
  AtomicFile html_file(folder / "report.html");
  json_file.write(text);
  html_file.write(page);
  json_file.commit();
  html_file.commit();
}

}  // namespace limbeck
