#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/base/schema.h"
#include "tools/commands.h"

namespace limbeck {
namespace {

namespace fs = std::filesystem;

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

std::vector<std::string> step_words(const nlohmann::json& step, const CommonOptions& common) {
  std::vector<std::string> words = {step.at("command")};
  for (const auto& argument : step.value("arguments", nlohmann::json::array()))
    words.push_back(argument);
  const auto options = step.value("options", nlohmann::json::object());
  for (const auto& [name, value] : options.items()) append_option(name, value, &words);
  if (common.quiet && !options.contains("quiet")) words.emplace_back("--quiet");
  if (common.json && !options.contains("json")) words.emplace_back("--json");
  if (common.threads > 0 && !options.contains("threads"))
    words.push_back("--threads=" + std::to_string(common.threads));
  if (common.seed != CommonOptions().seed && !options.contains("seed"))
    words.push_back("--seed=" + std::to_string(common.seed));
  return words;
}

void apply(const ApplyOptions& options) {
  const fs::path path = fs::absolute(options.recipe);
  const auto recipe = parse_json(read_file(path), options.recipe);
  validate_json(recipe, "recipe", options.recipe);
  // Paths in a recipe are relative to it, so that a folder can be moved as a whole.
  fs::current_path(path.parent_path());
  const auto& steps = recipe.at("steps");
  for (size_t i = 0; i < steps.size(); ++i) {
    if (!options.common.quiet) {
      std::cerr << "step " << i + 1 << " of " << steps.size() << ": "
                << steps[i].at("command").get<std::string>() << "\n";
    }
    run_command_line(step_words(steps[i], options.common));
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
      "set them.\n\n"
      "Examples:\n"
      "  limbeck apply recipe.json\n"
      "  limbeck apply recipe.json --threads 2 --quiet");
  command->callback([options] { apply(*options); });
}

}  // namespace limbeck
