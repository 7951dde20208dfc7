// The sub-commands. Each function adds one to the application; its callback does the work and
// throws limbeck::Error.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>
#include <vector>

namespace limbeck {

/// What every command understands.
struct CommonOptions {
  bool json = false;   ///< machine-readable result on standard output
  bool quiet = false;  ///< no progress, only the result
  int threads = 0;     ///< 0: all cores; does not change results
  uint64_t seed = 1;   ///< of every random choice, the order of samples included; 0: data order
};

void add_common_options(CLI::App* command, CommonOptions* options);

/// Threads of this rank for `--threads`: with 0, ranks on one machine share its cores.
int threads_of_rank(int threads);

/// --metric-command, which must not be the empty text that an unset variable leaves, and
/// --metric-patience (EvaluateOptions).
void add_metric_options(CLI::App* command, std::string* program, int64_t* patience);

void add_apply_command(CLI::App& app);
void add_bench_command(CLI::App& app);
void add_calibrate_command(CLI::App& app);
void add_compare_command(CLI::App& app);
void add_distill_command(CLI::App& app);
void add_evaluate_command(CLI::App& app);
void add_inspect_command(CLI::App& app);
void add_quantize_command(CLI::App& app);

/// Parses `arguments` (without the program's name), runs the sub-command they name. `--help` and
/// `--version` print and return. Raises kUsage for arguments that do not parse, and what the
/// command raises.
void run_command_line(const std::vector<std::string>& arguments);

/// The command line that is running now, as one would type it.
const std::string& running_command();

}  // namespace limbeck
