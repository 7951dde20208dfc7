// The sub-commands. Each function adds one to the application; its callback does the work and
// throws limbeck::Error.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>

namespace limbeck {

/// What every command understands.
struct CommonOptions {
  bool json = false;   ///< machine-readable result on standard output
  bool quiet = false;  ///< no progress, only the result
  int threads = 0;     ///< 0: all cores; does not change results
  uint64_t seed = 0;   ///< 0: data order; otherwise seeds every random choice
};

void add_common_options(CLI::App* command, CommonOptions* options);

void add_calibrate_command(CLI::App& app);
void add_inspect_command(CLI::App& app);
void add_quantize_command(CLI::App& app);

}  // namespace limbeck
