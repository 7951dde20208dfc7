#include "lib/evaluate/evaluate.h"

#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>
#include <string>

#include "lib/base/error.h"
#include "lib/base/process_memory.h"
#include "lib/data/dataset.h"
#include "lib/evaluate/evaluation_json.h"
#include "lib/model/model.h"
#include "tools/commands.h"

namespace limbeck {
namespace {

struct Flags {
  std::string model;
  std::string reference;
  std::string data;
  bool layers = false;
  bool layer_samples = false;  ///< was given
  bool patience = false;       ///< --metric-patience was given
  EvaluateOptions options;
  CommonOptions common;
};

[[noreturn]] void throw_idle(const std::string& option, const std::string& missing) {
  throw_error(Category::kUsage, "limbeck evaluate", option + " belongs to " + missing,
              option + " alone", "add " + missing + ", or leave " + option + " out");
}

void check(const Flags& flags) {
  if (flags.layer_samples && !flags.layers) throw_idle("--layer-samples", "--layers");
  if (flags.patience && flags.options.metric_command.empty())
    throw_idle("--metric-patience", "--metric-command");
  if (!flags.layers || !flags.reference.empty()) return;
  throw_error(Category::kUsage, "limbeck evaluate", "--layers compares with a reference model", "",
              "add --reference FP32.onnx");
}

/// A table without a figure would look like a success.
void require_figures(const Flags& flags, const Dataset& dataset) {
  if (dataset.has_labels() || !flags.reference.empty() || !flags.options.metric_command.empty())
    return;
  throw_error(Category::kUsage, "limbeck evaluate",
              "something must be measured: labels, a reference or a metric of your own",
              "data without labels, and neither --reference nor --metric-command",
              "add --reference FP32.onnx, or name the labels in the data set's description");
}

void run(const Flags& flags) {
  check(flags);
  hand_back_freed_memory();
  EvaluateOptions options = flags.options;
  options.seed = flags.common.seed;
  options.threads = flags.common.threads;
  options.quiet = flags.common.quiet;
  const Model model = load_model(flags.model);
  std::optional<Model> reference;
  if (!flags.reference.empty()) reference = load_model(flags.reference);
  if (flags.layers) options.layers = matching_layers(model, *reference);
  const auto dataset = open_dataset(flags.data);
  require_figures(flags, *dataset);
  const Evaluation evaluation =
      evaluate(model, reference ? &*reference : nullptr, *dataset, options);
  EvaluationSubject subject;
  subject.model = std::filesystem::path(flags.model).filename().string();
  subject.reference = std::filesystem::path(flags.reference).filename().string();
  if (!flags.common.json) {
    std::cout << evaluation_text(evaluation, subject);
    return;
  }
  subject.data_hash = dataset->hash();
  std::cout << evaluation_json(evaluation, subject).dump(2) << "\n";
}

void add_options(CLI::App* command, Flags* flags) {
  command->add_option("model", flags->model, "ONNX file")->required();
  command->add_option("--data", flags->data, "Data set (JSON description)")->required();
  command->add_option("--reference", flags->reference,
                      "FP32 ONNX file to compare with on the same samples");
  command->add_option("--samples", flags->options.samples, "Samples to use (0: all)")
      ->check(CLI::Range(int64_t{0}, int64_t{1} << 40));
  command->add_flag("--layers", flags->layers, "Compare layer by layer with the reference");
  command->add_option("--layer-samples", flags->options.layer_samples, "Samples of that comparison")
      ->check(CLI::Range(1, 1000000));
  add_metric_options(command, &flags->options.metric_command, &flags->options.metric_patience);
}

}  // namespace

void add_evaluate_command(CLI::App& app) {
  auto flags = std::make_shared<Flags>();
  CLI::App* command = app.add_subcommand("evaluate", "Measure a model on real data");
  add_options(command, flags.get());
  add_common_options(command, &flags->common);
  command->footer(
      "Examples:\n"
      "  limbeck evaluate model.onnx --data test.json\n"
      "  limbeck evaluate out/model.int8.onnx --reference model.onnx --data test.json --layers\n"
      "  limbeck evaluate detector.onnx --data test.json --metric-command 'python3 map.py' --json");
  command->callback([flags, command] {
    flags->layer_samples = command->count("--layer-samples") > 0;
    flags->patience = command->count("--metric-patience") > 0;
    run(*flags);
  });
}

}  // namespace limbeck
