#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "calibration/observer.h"
#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/base/format.h"
#include "tools/commands.h"
#include "tools/job.h"

namespace limbeck {
namespace {

struct Flags {
  QuantizeJob job;
  CommonOptions common;
  std::string format = "qdq";
  std::string weights = "int8";
  std::string activations = "uint8";
  std::string observer = "mse";
  bool dynamic = false;
};

std::vector<std::string> observer_names() {
  std::vector<std::string> names;
  for (const ObserverRow& row : observer_table()) names.emplace_back(row.name);
  return names;
}

void set_dynamic(Flags* flags) {
  if (flags->format != "qdq") {
    throw_error(Category::kUsage, "limbeck quantize", "--dynamic is a form of its own",
                "--dynamic with --format " + flags->format, "leave out one of the two");
  }
  flags->job.plan_options.format = EmitFormat::kDynamic;
}

void add_inputs(CLI::App* command, QuantizeJob& job) {
  command->add_option("model", job.model, "FP32 ONNX file")->required();
  command->add_option("--data", job.data, "Calibration data set (JSON description)");
  command->add_option("--calibration", job.table,
                      "Calibration table from limbeck calibrate, instead of --data");
  command->add_option(
      "--eval", job.eval,
      "Data set to measure on; default: samples of --data that were not calibrated on");
  command
      ->add_option("--samples", job.samples,
                   "Calibration samples (default: 512, or those of --plan)")
      ->check(CLI::Range(1, 100000000));
  command->add_option("-o,--output", job.output, "Output folder")->required();
}

void add_forms(CLI::App* command, Flags& flags) {
  command->add_option("--format", flags.format, "Emitted form")
      ->check(CLI::IsMember({"qdq", "qoperator"}))
      ->capture_default_str();
  command->add_flag("--dynamic", flags.dynamic,
                    "Activations get their range when the emitted model runs; needs no --data");
  command
      ->add_option("--weights", flags.weights,
                   "Weight type; uint8 holds the codes of int8 and keeps their accuracy in ONNX "
                   "Runtime on x86 CPUs without VNNI (README)")
      ->check(CLI::IsMember({"int8", "uint8", "int4"}))
      ->capture_default_str();
  command
      ->add_option("--activations", flags.activations,
                   "Activation type; uint4 is that of weighted layers but the first and the last, "
                   "uint8 elsewhere")
      ->check(CLI::IsMember({"uint8", "int8", "int16", "uint16", "uint4"}))
      ->capture_default_str();
  command
      ->add_option("--observer", flags.observer,
                   "How activation ranges are chosen: " + joined_names(observer_names()))
      ->capture_default_str();
  command
      ->add_option("--set", flags.job.overrides,
                   "Override, node:GLOB=float|int8|int4 or tensor:GLOB=OBSERVER; may be repeated")
      ->allow_extra_args(false);
  command->add_option("--plan", flags.job.plan,
                      "Use this saved plan; where it corrects biases, --data or --calibration too");
  command->add_option("--save-plan", flags.job.save_plan, "Also write the plan here");
}

void add_measuring(CLI::App* command, QuantizeJob& job) {
  command
      ->add_option("--eval-samples", job.eval_samples,
                   "Samples to measure on (0: all of --eval, at most 10000 held out of --data)")
      ->check(CLI::Range(int64_t{0}, int64_t{1} << 40));
  add_metric_options(command, &job.metric_command, &job.metric_patience);
  command->add_flag("--no-report", job.no_report, "Do not measure, write no report");
}

}  // namespace

void add_quantize_command(CLI::App& app) {
  auto flags = std::make_shared<Flags>();
  CLI::App* command = app.add_subcommand("quantize", "Quantize a model and measure what it cost");
  add_inputs(command, flags->job);
  add_forms(command, *flags);
  add_measuring(command, flags->job);
  add_common_options(command, &flags->common);
  command->footer(
      "Examples:\n"
      "  limbeck quantize model.onnx --data train.json --eval test.json -o out\n"
      "  limbeck quantize model.onnx --data train.json --weights int4 -o out\n"
      "  limbeck quantize model.onnx --dynamic --no-report -o out\n"
      "  limbeck quantize model.onnx --data train.json --set 'node:/head/*=float' -o out");
  command->callback([flags, command] {
    flags->job.common = flags->common;
    flags->job.own_patience = command->count("--metric-patience") > 0;
    flags->job.own_seed = command->count("--seed") > 0;
    for (const char* name :
         {"--format", "--dynamic", "--weights", "--activations", "--observer", "--set"}) {
      if (command->count(name) > 0) flags->job.beside_plan.emplace_back(name);
    }
    for (const char* name : {"--activations", "--observer", "--samples", "--calibration"}) {
      if (command->count(name) > 0) flags->job.beside_dynamic.emplace_back(name);
    }
    flags->job.plan_options = plan_options(flags->weights, flags->activations, flags->observer);
    if (flags->format == "qoperator") flags->job.plan_options.format = EmitFormat::kQOperator;
    if (flags->dynamic) set_dynamic(flags.get());
    run_quantize(flags->job);
  });
}

}  // namespace limbeck
