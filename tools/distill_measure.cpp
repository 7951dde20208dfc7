#include "tools/distill_measure.h"

#include <iostream>
#include <string>

#include "lib/base/format.h"
#include "lib/model/analysis.h"
#include "lib/ops/op.h"
#include "tools/job_report.h"

namespace limbeck {
namespace {

using Json = nlohmann::ordered_json;

MeasuredModel described(const std::filesystem::path& path, const Model& model) {
  Model shaped = copy_model(model);
  infer_shapes(shaped);
  const ModelSummary summary = analyse(shaped);
  MeasuredModel result;
  result.file = reported_file(path);
  result.weight_bytes = summary.weight_bytes;
  result.macs = summary.macs;
  return result;
}

std::string percent(const Json& headline, const char* field) {
  return headline.contains(field) ? fixed(headline.at(field).get<double>(), 2) + " %" : "";
}

void print_text(const Json& report, const std::filesystem::path& folder) {
  const Json& headline = report.at("headline");
  const std::string model = report.at("files").at("model").at("name");
  std::cout << "model      " << printable((folder / model).string()) << "\n";
  if (headline.contains("top1"))
    std::cout << "top-1      " << percent(headline, "student_top1") << " -> "
              << percent(headline, "top1") << "\n";
  if (headline.contains("teacher_top1"))
    std::cout << "teacher    " << percent(headline, "teacher_top1") << "\n";
  if (headline.contains("baseline_top1"))
    std::cout << "no teacher " << percent(headline, "baseline_top1") << "\n";
  if (headline.contains("agreement"))
    std::cout << "agreement  " << percent(headline, "agreement") << "\n";
  std::cout << "verdict    " << headline.at("verdict").get<std::string>() << "\n"
            << "report     " << printable((folder / "report.html").string()) << "\n"
            << "           " << printable((folder / "report.json").string()) << "\n";
}

}  // namespace

MeasuredModel measure_file(const std::filesystem::path& path, const Model* teacher,
                           const MeasuredOn& on) {
  const Model model = load_model(path);
  MeasuredModel result = described(path, model);
  EvaluateOptions options;
  options.indices = on.indices;
  options.threads = on.threads;
  options.quiet = on.quiet;
  result.evaluation = evaluate(model, teacher, on.data, options);
  return result;
}

MeasuredModel measured_teacher(const std::filesystem::path& path, const Model& teacher,
                               const Evaluation& evaluation) {
  MeasuredModel result = described(path, teacher);
  if (evaluation.reference) result.evaluation.metrics = *evaluation.reference;
  result.evaluation.records = evaluation.reference_records;
  return result;
}

void print_distill(const Json& report, const std::filesystem::path& folder, bool json) {
  if (!json) {
    print_text(report, folder);
    return;
  }
  const std::string model = report.at("files").at("model").at("name");
  const Json summary = {{"model", (folder / model).string()},
                        {"report", (folder / "report.json").string()},
                        {"headline", report.at("headline")}};
  std::cout << summary.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
}

}  // namespace limbeck
