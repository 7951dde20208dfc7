#include <filesystem>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <system_error>

#include "calibration/calibration.h"
#include "lib/base/error.h"
#include "lib/base/format.h"
#include "lib/base/process_memory.h"
#include "lib/distributed/world.h"
#include "lib/model/model_files.h"
#include "lib/quantize/quantize.h"
#include "tools/commands.h"
#include "tools/output_files.h"

namespace limbeck {
namespace {

struct Flags {
  CommonOptions common;
  std::string model;
  std::string data;
  std::string output;
  int64_t samples = CalibrationOptions().samples;
};

void check(const Flags& flags) {
  if (flags.data.empty()) {
    throw_error(Category::kUsage, "limbeck calibrate",
                "calibration needs real inputs, limbeck never invents them", "no --data",
                "describe a data set in a JSON file and pass it with --data");
  }
  require_kept({flags.output}, {{flags.model}, {flags.data}, {}});
  if (world().leads()) require_parent_folder(flags.output);
}

void print(const CalibrationTable& table, const Flags& flags) {
  if (!flags.common.json) {
    std::cout << "table    " << printable(flags.output) << "\nsamples  " << table.samples
              << (table.samples < flags.samples ? " (all of the data)" : "") << "\ntensors  "
              << table.tensors.size() << "\n";
    return;
  }
  nlohmann::ordered_json result = {{"table", flags.output},
                                   {"samples", table.samples},
                                   {"seed", table.seed},
                                   {"model_hash", table.model_hash},
                                   {"data_hash", table.data_hash}};
  for (const auto& [name, sketch] : table.tensors)
    result["tensors"][name] = {{"min", sketch.min()}, {"max", sketch.max()}};
  // Names in a model file need not be UTF-8.
  std::cout << result.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
}

void calibrate_model(const Flags& flags) {
  check(flags);
  hand_back_freed_memory();
  const Model source = load_model(flags.model);
  require_float(source, flags.model);
  const Model prepared = prepare_model(source, PlanOptions());
  const auto dataset = open_dataset(flags.data);
  CalibrationOptions options;
  options.samples = flags.samples;
  options.seed = flags.common.seed;
  options.threads = threads_of_rank(flags.common.threads);
  options.ranks = &world();
  options.quiet = flags.common.quiet;
  options.tensors = activations_to_observe(prepared);
  const auto table = calibrate(prepared, *dataset, model_files(flags.model).hash, options);
  if (!world().leads()) return;
  save_table(table, flags.output);
  print(table, flags);
}

}  // namespace

void add_calibrate_command(CLI::App& app) {
  auto flags = std::make_shared<Flags>();
  CLI::App* command =
      app.add_subcommand("calibrate", "Observe every activation of a model on real inputs");
  command->add_option("model", flags->model, "FP32 ONNX file")->required();
  command->add_option("--data", flags->data, "Data set (JSON description)");
  command->add_option("--samples", flags->samples, "Samples to read")
      ->check(CLI::Range(1, 100000000))
      ->capture_default_str();
  command->add_option("-o,--output", flags->output, "Table to write")->required();
  add_common_options(command, &flags->common);
  command->footer(
      "Examples:\n"
      "  limbeck calibrate model.onnx --data train.json -o model.calib\n"
      "  limbeck calibrate model.onnx --data train.json --samples 2048 --seed 7 -o model.calib\n"
      "  mpirun -np 4 limbeck calibrate model.onnx --data train.json -o model.calib\n"
      "  limbeck quantize model.onnx --calibration model.calib --no-report -o out");
  command->callback([flags] { calibrate_model(*flags); });
}

}  // namespace limbeck
