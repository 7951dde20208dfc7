#include <iostream>
#include <memory>
#include <string>

#include "lib/model/model.h"
#include "lib/ops/op.h"
#include "tools/commands.h"
#include "tools/inspection.h"

namespace limbeck {
namespace {

struct InspectOptions {
  CommonOptions common;
  std::string model;
  bool dump = false;  ///< the graph instead of the summary
};

void inspect(const InspectOptions& options) {
  Model model = load_model(options.model);
  const Inspection inspection = inspect_model(model, options.model);
  if (options.dump) {
    std::cout << model.graph.dump_details();
  } else if (options.common.json) {
    // Names come from the file and need not be UTF-8.
    constexpr auto kReplace = nlohmann::ordered_json::error_handler_t::replace;
    std::cout << inspection_json(inspection).dump(2, ' ', false, kReplace) << "\n";
  } else {
    std::cout << inspection_text(inspection);
  }
}

}  // namespace

void add_inspect_command(CLI::App& app) {
  auto options = std::make_shared<InspectOptions>();
  CLI::App* command = app.add_subcommand("inspect", "Show what a model holds and what it costs");
  command->add_option("model", options->model, "ONNX file")->required();
  auto* dump = command->add_flag("--dump", options->dump, "Print the graph, one line a node");
  add_common_options(command, &options->common);
  dump->excludes(command->get_option("--json"));
  command->footer(
      "Examples:\n"
      "  limbeck inspect model.onnx\n"
      "  limbeck inspect model.onnx --json\n"
      "  limbeck inspect model.onnx --dump");
  command->callback([options] { inspect(*options); });
}

}  // namespace limbeck
