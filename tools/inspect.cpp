#include <charconv>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>
#include <system_error>
#include <vector>

#include "lib/base/error.h"
#include "lib/model/fix_shape.h"
#include "lib/model/model.h"
#include "lib/ops/op.h"
#include "tools/commands.h"
#include "tools/inspection.h"

namespace limbeck {
namespace {

struct InspectOptions {
  CommonOptions common;
  std::string model;
  std::vector<std::string> shapes;  ///< NAME=1,3,48,192
  bool dump = false;                ///< the graph instead of the summary
};

/// Numbers between commas; empty where one of them is none.
std::vector<int64_t> numbers_of(const std::string& text) {
  std::vector<int64_t> numbers;
  std::istringstream words(text);
  for (std::string word; std::getline(words, word, ',');) {
    const char* last = word.data() + word.size();
    int64_t number = 0;
    const auto [end, failure] = std::from_chars(word.data(), last, number);
    if (failure != std::errc() || end != last) return {};
    numbers.push_back(number);
  }
  return numbers;
}

/// "x=1,3,48,192". A name may hold an equals sign, dimensions do not.
void fix_shape(Model* model, const std::string& text) {
  const size_t split = text.rfind('=');
  const auto dims =
      split == std::string::npos ? std::vector<int64_t>() : numbers_of(text.substr(split + 1));
  if (dims.empty()) {
    throw_error(Category::kUsage, "--shape", "it must be NAME=DIM,DIM,...", "'" + text + "'",
                "write the dimensions as numbers, for example x=1,3,48,192");
  }
  fix_input_shape(model, text.substr(0, split), dims);
}

void inspect(const InspectOptions& options) {
  Model model = load_model(options.model);
  for (const std::string& shape : options.shapes) fix_shape(&model, shape);
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
  command->add_option("--shape", options->shapes,
                      "Dimensions of an input for the counts, NAME=1,3,48,192; may be repeated");
  add_common_options(command, &options->common);
  dump->excludes(command->get_option("--json"));
  command->footer(
      "Examples:\n"
      "  limbeck inspect model.onnx\n"
      "  limbeck inspect model.onnx --json\n"
      "  limbeck inspect model.onnx --shape x=1,3,48,192\n"
      "  limbeck inspect model.onnx --dump");
  command->callback([options] { inspect(*options); });
}

}  // namespace limbeck
