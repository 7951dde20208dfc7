#include <algorithm>
#include <charconv>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include "lib/base/error.h"
#include "lib/distributed/world.h"
#include "tools/commands.h"

namespace limbeck {
namespace {

std::string& current_command() {
  static std::string command;
  return command;
}

/// Quoted for the shell where needed.
std::string shell_word(const std::string& word) {
  constexpr const char* kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./=:,+@%";
  if (!word.empty() && word.find_first_not_of(kPlain) == std::string::npos) return word;
  std::string quoted = "'";
  for (const char letter : word)
    quoted += letter == '\'' ? std::string("'\\''") : std::string(1, letter);
  return quoted + "'";
}

void add_commands(CLI::App& app) {
  app.set_version_flag("--version", "limbeck 0.1.0");
  app.require_subcommand(1);
  add_quantize_command(app);
  add_calibrate_command(app);
  add_distill_command(app);
  add_evaluate_command(app);
  add_compare_command(app);
  add_inspect_command(app);
  add_bench_command(app);
  add_apply_command(app);
}

[[noreturn]] void throw_usage(const CLI::App& app, const CLI::ParseError& error) {
  const auto parsed = app.get_subcommands();
  const std::string place = parsed.empty() ? "limbeck" : "limbeck " + parsed[0]->get_name();
  std::string rule = error.what();
  std::replace(rule.begin(), rule.end(), '\n', ' ');
  throw_error(Category::kUsage, place, rule, "", "see " + place + " --help");
}

/// A mistyped command gets the list of commands, not a complaint about a missing one.
void check_command(const CLI::App& app, const std::vector<std::string>& arguments) {
  if (arguments.empty() || arguments[0].starts_with("-")) return;
  std::string known;
  for (const CLI::App* command : app.get_subcommands({})) {
    if (command->get_name() == arguments[0]) return;
    known += (known.empty() ? "" : ", ") + command->get_name();
  }
  throw_error(Category::kUsage, "limbeck", "the command must be one of " + known,
              "'" + arguments[0] + "'", "see limbeck --help");
}

/// Only some commands share their work; of the others every rank would do the whole job, over the
/// same files.
void check_ranks(const std::vector<std::string>& arguments) {
  const int ranks = world().size();
  if (ranks == 1 || arguments.empty() || arguments[0].starts_with("-")) return;
  if (arguments[0] == "distill" || arguments[0] == "calibrate") return;
  throw_error(Category::kUsage, "limbeck " + arguments[0],
              "only distill and calibrate run on several ranks", std::to_string(ranks) + " ranks",
              "start it without mpirun");
}

/// Numbers that fit into 64 bits without sign: CLI11 takes others for the largest one.
CLI::Validator whole_number() {
  return {[](const std::string& text) {
            uint64_t value = 0;
            const auto [end, error] =
                std::from_chars(text.data(), text.data() + text.size(), value);
            const bool good = error == std::errc() && end == text.data() + text.size();
            return good ? std::string() : "Value " + text + " not a whole number below 2^64";
          },
          "UINT"};
}

CLI::Validator not_empty() {
  return {[](const std::string& text) {
            return text.empty() ? std::string("the value is empty") : std::string();
          },
          "TEXT"};
}

}  // namespace

void add_metric_options(CLI::App* command, std::string* program, int64_t* patience) {
  command
      ->add_option("--metric-command", *program,
                   "Program for a metric of your own: reads outputs, answers with JSON numbers")
      ->check(not_empty());
  command
      ->add_option("--metric-patience", *patience,
                   "Seconds that the program may do nothing at all (0: for ever)")
      ->check(CLI::Range(0, 1000000))
      ->capture_default_str();
}

void add_common_options(CLI::App* command, CommonOptions* options) {
  command->add_flag("--json", options->json, "Print the result as JSON");
  command->add_flag("--quiet", options->quiet, "Print no progress");
  command
      ->add_option("--threads", options->threads,
                   "Worker threads (0: all cores); never changes the result")
      ->check(CLI::Range(0, 1024));
  command
      ->add_option("--seed", options->seed,
                   "Seed of the order of samples and other random choices (0: data order)")
      ->check(whole_number())
      ->capture_default_str();
}

int threads_of_rank(int threads) {
  const int ranks = world().ranks_here();
  if (threads > 0 || ranks == 1) return threads;
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()) / ranks);
}

const std::string& running_command() { return current_command(); }

void run_command_line(const std::vector<std::string>& arguments) {
  CLI::App app(
      "limbeck quantizes and distils ONNX models for edge devices and reports what that cost",
      "limbeck");
  add_commands(app);
  check_command(app, arguments);
  check_ranks(arguments);
  current_command() = "limbeck";
  for (const std::string& argument : arguments) current_command() += " " + shell_word(argument);
  try {
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::Success& success) {
    if (world().leads()) app.exit(success);
  } catch (const CLI::ParseError& error) {
    throw_usage(app, error);
  }
}

}  // namespace limbeck
