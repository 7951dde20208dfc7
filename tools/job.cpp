#include "tools/job.h"

#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/base/schema.h"
#include "lib/data/dataset.h"
#include "lib/quantize/quantize.h"

namespace limbeck {
namespace {

namespace fs = std::filesystem;

CalibrationTable obtain_table(const QuantizeJob& job, const Model& prepared,
                              const std::string& model_hash) {
  CalibrationTable none;
  none.model_hash = model_hash;
  if (job.plan_options.format == EmitFormat::kDynamic) return none;
  if (!job.table.empty()) {
    CalibrationTable table = load_table(job.table);
    require_model(table, model_hash, job.table);
    return table;
  }
  const auto dataset = open_dataset(job.data);
  CalibrationOptions options;
  options.samples = job.samples;
  options.seed = job.common.seed;
  options.threads = job.common.threads;
  options.quiet = job.common.quiet;
  return calibrate(prepared, *dataset, model_hash, options);
}

std::optional<Plan> saved_plan(const std::string& path, const std::string& model_hash) {
  if (path.empty()) return std::nullopt;
  Plan plan = plan_from_json(parse_json(read_file(path), path), path);
  if (plan.model_hash == model_hash) return plan;
  throw_error(Category::kUsage, path, "a plan belongs to one model: SHA-256 " + model_hash,
              plan.model_hash, "make the plan from this model with --save-plan");
}

Plan new_plan(const QuantizeJob& job, const Model& prepared, const CalibrationTable& table) {
  PlanOptions options = job.plan_options;
  for (const std::string& text : job.overrides) options.overrides.push_back(parse_override(text));
  return make_plan(prepared, table, options);
}

}  // namespace

void check_job(const QuantizeJob& job) {
  std::string complaints;
  const auto complain = [&complaints](const char* text) {
    complaints += (complaints.empty() ? "" : "; ") + std::string(text);
  };
  const bool dynamic = job.plan_options.format == EmitFormat::kDynamic;
  if (!dynamic && job.data.empty() && job.table.empty() && job.plan.empty()) {
    complain("calibration needs real inputs: --data, --calibration or --plan");
  }
  if (!job.plan.empty() && !job.overrides.empty())
    complain("--set edits a plan that is made here, not one given by --plan");
  if (!job.no_report && job.eval.empty() && job.data.empty())
    complain("a report needs --eval or --data, or pass --no-report");
  const PlanOptions& plan = job.plan_options;
  const bool plain = plan.weights == DataType::kInt8 && bits_per_element(plan.activations) == 8;
  if (plan.format != EmitFormat::kQdq && !plain)
    complain("--format qoperator and --dynamic need int8 weights and 8-bit activations");
  if (complaints.empty()) return;
  throw_error(Category::kUsage, "limbeck quantize", complaints, "", "see limbeck quantize --help");
}

PlanOptions plan_options(const std::string& weights, const std::string& activations,
                         const std::string& observer) {
  static const std::map<std::string, DataType> kTypes = {{"int8", DataType::kInt8},
                                                         {"uint8", DataType::kUint8},
                                                         {"int16", DataType::kInt16},
                                                         {"uint16", DataType::kUint16},
                                                         {"int4", DataType::kInt4}};
  PlanOptions options;
  options.weights = kTypes.at(weights);
  options.activations = kTypes.at(activations);
  options.observer = observer_from_name(observer);
  return options;
}

void run_quantize(const QuantizeJob& job) {
  check_job(job);
  const Model source = load_model(job.model);
  const std::string model_hash = sha256_file(job.model);
  const std::optional<Plan> saved = saved_plan(job.plan, model_hash);
  const PlanOptions options = saved ? options_of(*saved) : job.plan_options;
  const Model prepared = prepare_model(source, options);
  const CalibrationTable table =
      saved ? CalibrationTable{} : obtain_table(job, prepared, model_hash);
  const Plan plan = saved ? *saved : new_plan(job, prepared, table);
  const AppliedPlan applied = emit_plan(prepared, plan);
  fs::create_directories(job.output);
  const fs::path stem = fs::path(job.model).stem();
  const fs::path emitted =
      fs::path(job.output) / (stem.string() + "." + format_suffix(options) + ".onnx");
  save_model(applied.model, emitted);
  const std::string plan_text = plan_to_json(plan).dump(2) + "\n";
  write_file_atomically(fs::path(job.output) / "plan.json", plan_text);
  if (!job.save_plan.empty()) write_file_atomically(job.save_plan, plan_text);
  std::cout << "model   " << emitted.string() << "  (" << fs::file_size(job.model) << " -> "
            << fs::file_size(emitted) << " bytes)\n";
}

}  // namespace limbeck
