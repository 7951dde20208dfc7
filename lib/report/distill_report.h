// The report of a distillation: JSON (schemas/distill_report.schema.json,
// docs/formats/distill_report.md) and one self-contained HTML page made from that JSON alone.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "lib/distill/shrink/shrink.h"
#include "lib/evaluate/evaluate.h"
#include "lib/report/report.h"

namespace limbeck {

/// A model as it was measured.
struct MeasuredModel {
  ReportedFile file;
  int64_t weight_bytes = 0;
  int64_t macs = 0;       ///< of one sample
  Evaluation evaluation;  ///< with the teacher, where there is one, as reference
};

/// How a student was trained.
struct TrainingRun {
  int64_t steps = 0;
  int64_t epochs = 0;
  int64_t best_epoch = 0;  ///< 0: the last
  bool stopped_early = false;
  std::vector<nlohmann::json> log;  ///< lines of the log (docs/formats/train_log.md)
};

struct DistillReportInputs {
  std::optional<MeasuredModel> teacher;  ///< its evaluation has no reference
  MeasuredModel before;                  ///< the student as it was given
  MeasuredModel after;                   ///< the emitted student
  TrainingRun training;
  std::optional<MeasuredModel> baseline;  ///< the same student trained on labels alone
  TrainingRun baseline_training;
  const ShrinkResult* shrunk = nullptr;  ///< how the student was made; null: it was given
  std::string shrink_options;            ///< with `shrunk`: "macs=0.5"
  nlohmann::ordered_json recipe;         ///< recipe_json()
  std::string recipe_hash;
  std::string training_data_hash;
  int64_t training_samples = 0;
  int64_t validation_samples = 0;
  std::string evaluation_data_hash;
  std::string
      evaluation_source;        ///< "separate data set" or "held-out samples of the training data"
  std::vector<int64_t> domain;  ///< classes that were trained on; empty: all
  std::vector<int64_t> labels;  ///< with a domain: of the evaluation data, by index
  RunInfo run;
};

/// Deterministic but for the member "run". What could not be measured is absent.
nlohmann::ordered_json make_distill_report(const DistillReportInputs& inputs);

/// Its member "shrink".
nlohmann::ordered_json shrink_json(const ShrinkResult& result, const std::string& options);

/// Top-1 of every model on the samples of the domain, and on all others: {"classes": [...],
/// "inside": {"samples": n, "model": {"top1": ..., "top1_interval": [...]}, ...}, "outside":
/// {...}}; a part without samples is absent.
nlohmann::ordered_json domain_json(const DistillReportInputs& inputs);

/// Writes report.json (validated against its schema) and report.html into `folder`, whole or not at
/// all.
void write_distill_report(const nlohmann::ordered_json& report,
                          const std::filesystem::path& folder);

/// The HTML page: no scripts, no external resources; light and dark; readable at 360 px. `report`
/// follows the schema.
std::string render_distill_html(const nlohmann::json& report);

namespace html {

/// The curves of report["training"] and of the baseline: loss, and accuracy on held-out samples.
std::string training_curves(const nlohmann::json& report);
/// The layers of a student that was made from its teacher; empty where it was given.
std::string widths_section(const nlohmann::json& report);

}  // namespace html
}  // namespace limbeck
