#include <filesystem>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/base/format.h"
#include "lib/base/schema.h"
#include "tools/commands.h"

namespace limbeck {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr int kOutputVersion = 1;

struct ApplyOptions {
  CommonOptions common;
  std::string recipe;
};

std::string word(const nlohmann::json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

/// {"samples": 512, "set": ["a", "b"], "no-report": true} as --samples 512 --set a --set b
/// --no-report.
void append_option(const std::string& name, const nlohmann::json& value,
                   std::vector<std::string>* words) {
  if (value.is_boolean()) {
    if (value.get<bool>()) words->push_back("--" + name);
    return;
  }
  if (value.is_array()) {
    for (const auto& item : value) append_option(name, item, words);
    return;
  }
  words->push_back("--" + name + "=" + word(value));
}

/// The step says itself in which form it prints.
bool has_form(const nlohmann::json& options) {
  return options.contains("json") || options.contains("markdown") || options.contains("dump");
}

std::vector<std::string> step_words(const nlohmann::json& step, const CommonOptions& common) {
  std::vector<std::string> words = {step.at("command")};
  for (const auto& argument : step.value("arguments", nlohmann::json::array()))
    words.push_back(argument);
  const auto options = step.value("options", nlohmann::json::object());
  for (const auto& [name, value] : options.items()) append_option(name, value, &words);
  if (common.quiet && !options.contains("quiet")) words.emplace_back("--quiet");
  if (common.json && !has_form(options)) words.emplace_back("--json");
  if (common.threads > 0 && !options.contains("threads"))
    words.push_back("--threads=" + std::to_string(common.threads));
  if (common.seed != CommonOptions().seed && !options.contains("seed"))
    words.push_back("--seed=" + std::to_string(common.seed));
  return words;
}

/// While it lives, standard output goes into a text.
class CapturedOutput {
 public:
  CapturedOutput() : original_(std::cout.rdbuf(text_.rdbuf())) {}
  ~CapturedOutput() { std::cout.rdbuf(original_); }
  CapturedOutput(const CapturedOutput&) = delete;
  CapturedOutput& operator=(const CapturedOutput&) = delete;
  std::string text() const { return text_.str(); }

 private:
  std::ostringstream text_;
  std::streambuf* original_;
};

/// What a step printed: its JSON, or text where the step asked for another form.
void put_output(const std::string& text, Json* entry) {
  Json result = Json::parse(text, nullptr, false);
  if (result.is_discarded()) {
    (*entry)["text"] = valid_utf8(text);
  } else {
    (*entry)["result"] = std::move(result);
  }
}

/// Runs the step and keeps what it prints in `entry`; what it raises is noted there and handed on.
void run_for_json(const std::vector<std::string>& words, Json* entry) {
  const CapturedOutput output;
  try {
    run_command_line(words);
    (*entry)["exit_code"] = 0;
  } catch (const Error& error) {
    (*entry)["exit_code"] = exit_code(error.category());
    (*entry)["error"] = valid_utf8(error.what());
    if (!output.text().empty()) put_output(output.text(), entry);
    throw;
  }
  put_output(output.text(), entry);
}

/// Prints the one document of a whole recipe, also when a step fails.
class JsonPrinter {
 public:
  JsonPrinter() = default;
  ~JsonPrinter() { std::cout << document_.dump(2) << "\n"; }
  JsonPrinter(const JsonPrinter&) = delete;
  JsonPrinter& operator=(const JsonPrinter&) = delete;
  void run(const std::string& command, const std::vector<std::string>& words) {
    Json& entry = document_["steps"].emplace_back(Json{{"command", command}});
    run_for_json(words, &entry);
  }

 private:
  Json document_ = {{"version", kOutputVersion}, {"steps", Json::array()}};
};

void apply(const ApplyOptions& options) {
  const fs::path path = fs::absolute(options.recipe);
  const auto recipe = parse_json(read_file(path), options.recipe);
  validate_json(recipe, "recipe", options.recipe);
  // Paths in a recipe are relative to it, so that a folder can be moved as a whole.
  fs::current_path(path.parent_path());
  const auto& steps = recipe.at("steps");
  std::optional<JsonPrinter> printer;
  if (options.common.json) printer.emplace();
  for (size_t i = 0; i < steps.size(); ++i) {
    const std::string command = steps[i].at("command");
    if (!options.common.quiet)
      std::cerr << "step " << i + 1 << " of " << steps.size() << ": " << command << "\n";
    const std::vector<std::string> words = step_words(steps[i], options.common);
    if (printer) {
      printer->run(command, words);
    } else {
      run_command_line(words);
    }
  }
}

}  // namespace

void add_apply_command(CLI::App& app) {
  auto options = std::make_shared<ApplyOptions>();
  CLI::App* command = app.add_subcommand("apply", "Run the chain of commands that a recipe holds");
  command->add_option("recipe", options->recipe, "Recipe (JSON, docs/formats/recipe.md)")
      ->required();
  add_common_options(command, &options->common);
  command->footer(
      "Paths in a recipe are relative to the recipe. The first step that fails ends the run with "
      "its\n"
      "exit code. Options given here (--threads, --seed, --quiet, --json) hold for steps that do "
      "not\n"
      "set them. With --json one document holds what every step prints.\n\n"
      "Examples:\n"
      "  limbeck apply recipe.json\n"
      "  limbeck apply recipe.json --threads 2 --quiet");
  command->callback([options] { apply(*options); });
}

}  // namespace limbeck
