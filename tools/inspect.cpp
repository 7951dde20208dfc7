#include <iostream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "lib/model/model.h"
#include "tools/commands.h"

namespace limbeck {
namespace {

struct InspectOptions {
  CommonOptions common;
  std::string model;
};

void inspect(const InspectOptions& options) {
  const Model model = load_model(options.model);
  std::map<std::string, int64_t> operators;
  int64_t parameters = 0;
  for (const auto& node : model.graph.nodes()) ++operators[node->op_type()];
  for (const Value* value : model.graph.values()) {
    if (value->constant() != nullptr && value->type == DataType::kFloat)
      parameters += value->constant()->count();
  }
  nlohmann::ordered_json result = {
      {"opset", model.opset()}, {"parameters", parameters}, {"operators", operators}};
  if (options.common.json) {
    std::cout << result.dump(2) << "\n";
    return;
  }
  std::cout << "opset       " << model.opset() << "\nparameters  " << parameters << "\n";
  for (const auto& [name, count] : operators) std::cout << name << "  " << count << "\n";
}

}  // namespace

void add_inspect_command(CLI::App& app) {
  auto options = std::make_shared<InspectOptions>();
  CLI::App* command = app.add_subcommand("inspect", "Show what a model holds");
  command->add_option("model", options->model, "ONNX file")->required();
  add_common_options(command, &options->common);
  command->footer("Examples:\n  limbeck inspect model.onnx\n  limbeck inspect model.onnx --json");
  command->callback([options] { inspect(*options); });
}

}  // namespace limbeck
