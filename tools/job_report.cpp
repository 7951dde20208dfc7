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
#include "lib/model/model_files.h"
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
  options.metric_patience = job.metric_patience;
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

std::string integer_line(const JobResult& result) {
  if (!result.integer_mac_share)
    return "integer    not known: the native engine lacks an operator of the model\n";
  std::string line =
      "integer    " + percent(100 * *result.integer_mac_share) + " of the multiply-accumulates";
  const PlanOptions widest = options_of(result.plan);
  if (bits_per_element(widest.activations) == 16)
    line += " (CPU engines compute 16-bit activations in float)";
  else if (widest.activations == DataType::kInt8 && result.plan.format != EmitFormat::kDynamic)
    line += " (ONNX Runtime on x86 leaves some of int8 activations in float)";
  return line + "\n";
}

/// How many samples ranges were observed on, and why not as many as were asked for; nothing where
/// none were observed (--dynamic).
std::string calibration_line(const JobResult& result) {
  const int64_t used = result.table.samples;
  if (used == 0) return "";
  std::string line = "calibrated on " + std::to_string(used) + (used == 1 ? " sample" : " samples");
  if (result.job.samples.value_or(used) > used) {
    const bool held_out = result.job.eval.empty() && !result.job.no_report;
    line += ", not " + std::to_string(*result.job.samples) + ": the data has no more" +
            (held_out ? " beside the fifth that it is measured on" : "");
  }
  return line + "\n";
}

void print_text(const JobResult& result, const nlohmann::ordered_json& report) {
  const fs::path folder = result.job.output;
  std::cout << "model      " << printable(result.emitted.string()) << "\n"
            << "size       " << model_bytes(result.job.model) << " -> "
            << model_bytes(result.emitted) << " bytes\n"
            << calibration_line(result);
  if (report.is_null()) {
    std::cout << integer_line(result);
    return;
  }
  const auto& headline = report.at("headline");
  if (headline.contains("top1"))
    std::cout << "top-1      " << percent(headline.at("reference_top1")) << " -> "
              << percent(headline.at("top1")) << "\n";
  if (headline.contains("agreement"))
    std::cout << "agreement  " << percent(headline.at("agreement")) << "\n";
  const auto& metrics = report.at("evaluation").at("metrics");
  const nlohmann::ordered_json users = metrics.value("user", nlohmann::ordered_json::object());
  for (const auto& [name, value] : users.items())
    std::cout << printable(name) << std::string(name.size() < 10 ? 11 - name.size() : 1, ' ')
              << value.dump() << "\n";
  if (result.job.eval.empty())
    std::cout << "measured   on samples of --data that were not calibrated on\n";
  std::cout << integer_line(result) << "verdict    " << headline.at("verdict").get<std::string>()
            << "\n"
            << "report     " << printable((folder / "report.html").string()) << "\n"
            << "           " << printable((folder / "report.json").string()) << "\n";
}

void print_json(const JobResult& result, const nlohmann::ordered_json& report) {
  nlohmann::ordered_json summary = {{"model", result.emitted.string()},
                                    {"reference_bytes", model_bytes(result.job.model)},
                                    {"model_bytes", model_bytes(result.emitted)},
                                    {"plan", (fs::path(result.job.output) / "plan.json").string()}};
  if (result.integer_mac_share) summary["integer_mac_share"] = *result.integer_mac_share;
  if (!report.is_null()) {
    summary["report"] = (fs::path(result.job.output) / "report.json").string();
    summary["headline"] = report.at("headline");
    const auto& metrics = report.at("evaluation").at("metrics");
    if (metrics.contains("user")) summary["user"] = metrics.at("user");
  }
  std::cout << summary.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
}

}  // namespace

ReportedFile reported_file(const fs::path& path) {
  const ModelFiles files = model_files(path);
  return {path.filename().string(), files.hash, files.bytes};
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
  write_report(report, result.emitted.parent_path());
  return report;
}

std::optional<double> integer_mac_share(const JobResult& result,
                                        const nlohmann::ordered_json& report) {
  if (!report.is_null()) return report.at("headline").at("integer_mac_share").get<double>();
  try {
    return Engine::compile(result.applied.model)->integer_mac_share();
  } catch (const Error& error) {
    if (error.category() != Category::kUnsupported) throw;
    return {};
  }
}

void print_job(const JobResult& result, const nlohmann::ordered_json& report) {
  if (result.job.common.json) {
    print_json(result, report);
  } else {
    print_text(result, report);
  }
}

}  // namespace limbeck
