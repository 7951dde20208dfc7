#include "tools/job_report.h"

#include <ctime>
#include <iomanip>
#include <iostream>
#include <memory>
#include <sstream>

#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/base/format.h"
#include "lib/engine/engine.h"
#include "lib/evaluate/evaluate.h"
#include "lib/model/analysis.h"
#include "lib/quantize/quantize.h"
#include "lib/report/report.h"

namespace limbeck {
namespace {

namespace fs = std::filesystem;

const char* format_name(EmitFormat format) {
  switch (format) {
    case EmitFormat::kQdq: return "qdq";
    case EmitFormat::kQOperator: return "qoperator";
    case EmitFormat::kDynamic: return "dynamic";
  }
  return "qdq";
}

/// Measures the emitted file, as a device team would load it.
nlohmann::ordered_json measure(const JobResult& result, const Dataset& data) {
  const QuantizeJob& job = result.job;
  const bool separate = !job.eval.empty();
  if (!separate && result.held_out.empty()) {
    throw_error(Category::kData, job.data, "a report needs samples that were not calibrated on",
                "none left of " + std::to_string(data.size()),
                "give --eval, calibrate on fewer --samples, or pass --no-report");
  }
  EvaluateOptions options;
  if (separate) {
    options.samples = job.eval_samples;
  } else {
    options.indices = result.held_out;
  }
  options.seed = job.common.seed;
  options.threads = job.common.threads;
  options.quiet = job.common.quiet;
  options.layers = result.applied.layers;
  options.metric_command = job.metric_command;
  const Model emitted = load_model(result.emitted);
  ReportInputs inputs;
  inputs.evaluation = evaluate(emitted, &result.source, data, options);
  inputs.reference = reported_file(job.model);
  inputs.model = reported_file(result.emitted);
  inputs.format = format_name(result.plan.format);
  inputs.weights = weight_types(result.plan);
  inputs.activations = activation_types(result.plan);
  inputs.reference_weight_bytes = analyse(result.source).weight_bytes;
  inputs.model_weight_bytes = analyse(emitted).weight_bytes;
  inputs.calibration_data_hash = result.table.data_hash;
  inputs.calibration_samples = result.table.samples;
  inputs.evaluation_data_hash = data.hash();
  inputs.evaluation_source = separate
                                 ? "separate data set"
                                 : "samples of the calibration data that were not calibrated on";
  inputs.plan = result.plan;
  inputs.table = result.table.tensors.empty() ? nullptr : &result.table;
  inputs.run = current_run(running_command(), result.started.utc(), result.started.seconds(),
                           job.common.threads);
  return make_report(inputs);
}

std::string percent(const nlohmann::json& value) {
  std::ostringstream text;
  text << std::fixed << std::setprecision(2) << value.get<double>() << " %";
  return text.str();
}

std::string integer_line(double share, const Plan& plan) {
  std::string line = "integer    " + percent(100 * share) + " of the multiply-accumulates";
  const PlanOptions widest = options_of(plan);
  if (bits_per_element(widest.activations) == 16)
    line += " (CPU engines compute 16-bit activations in float)";
  return line + "\n";
}

void print_text(const JobResult& result, const nlohmann::ordered_json& report) {
  const fs::path folder = result.job.output;
  std::cout << "model      " << printable(result.emitted.string()) << "\n"
            << "size       " << fs::file_size(result.job.model) << " -> "
            << fs::file_size(result.emitted) << " bytes\n";
  if (report.is_null()) {
    const double share = Engine::compile(result.applied.model)->integer_mac_share();
    std::cout << integer_line(share, result.plan);
    return;
  }
  const auto& headline = report.at("headline");
  if (headline.contains("top1"))
    std::cout << "top-1      " << percent(headline.at("reference_top1")) << " -> "
              << percent(headline.at("top1")) << "\n";
  if (headline.contains("agreement"))
    std::cout << "agreement  " << percent(headline.at("agreement")) << "\n";
  std::cout << integer_line(headline.at("integer_mac_share"), result.plan) << "verdict    "
            << headline.at("verdict").get<std::string>() << "\n"
            << "report     " << printable((folder / "report.html").string()) << "\n"
            << "           " << printable((folder / "report.json").string()) << "\n";
}

void print_json(const JobResult& result, const nlohmann::ordered_json& report) {
  nlohmann::ordered_json summary = {{"model", result.emitted.string()},
                                    {"reference_bytes", fs::file_size(result.job.model)},
                                    {"model_bytes", fs::file_size(result.emitted)},
                                    {"plan", (fs::path(result.job.output) / "plan.json").string()}};
  if (!report.is_null()) {
    summary["report"] = (fs::path(result.job.output) / "report.json").string();
    summary["headline"] = report.at("headline");
  }
  std::cout << summary.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
}

}  // namespace

ReportedFile reported_file(const fs::path& path) {
  return {path.filename().string(), sha256_file(path), static_cast<int64_t>(fs::file_size(path))};
}

double JobClock::seconds() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - ticks).count();
}

std::string JobClock::utc() const {
  const std::time_t time = std::chrono::system_clock::to_time_t(date);
  std::tm parts{};
  gmtime_r(&time, &parts);
  std::ostringstream text;
  text << std::put_time(&parts, "%Y-%m-%dT%H:%M:%SZ");
  return text.str();
}

nlohmann::ordered_json report_job(const JobResult& result, const Dataset* data) {
  if (result.job.no_report) return nullptr;
  nlohmann::ordered_json report = measure(result, *data);
  write_report(report, result.job.output);
  return report;
}

void print_job(const JobResult& result, const nlohmann::ordered_json& report) {
  if (result.job.common.json) {
    print_json(result, report);
  } else {
    print_text(result, report);
  }
}

}  // namespace limbeck
