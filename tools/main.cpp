// Parses the command line and turns every failure into a message on standard error and an exit code
// (docs/errors.md).
#include <CLI/CLI.hpp>
#include <exception>
#include <iostream>
#include <new>

#include "lib/base/error.h"
#include "tools/commands.h"

namespace limbeck {

void add_common_options(CLI::App* command, CommonOptions* options) {
  command->add_flag("--json", options->json, "Print the result as JSON");
  command->add_flag("--quiet", options->quiet, "Print no progress");
  command
      ->add_option("--threads", options->threads,
                   "Worker threads (0: all cores); never changes the result")
      ->check(CLI::Range(0, 1024));
  command->add_option("--seed", options->seed, "Seed of random choices (0: samples in data order)");
}

namespace {

int run(int argc, char** argv) {
  CLI::App app("limbeck quantizes and distils ONNX models for edge devices", "limbeck");
  app.set_version_flag("--version", "limbeck 0.1.0");
  app.require_subcommand(1);
  add_calibrate_command(app);
  add_inspect_command(app);
  add_quantize_command(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : exit_code(Category::kUsage);
  }
  return 0;
}

}  // namespace
}  // namespace limbeck

int main(int argc, char** argv) {
  try {
    return limbeck::run(argc, argv);
  } catch (const limbeck::Error& error) {
    std::cerr << "limbeck: " << error.what() << "\n";
    return limbeck::exit_code(error.category());
  } catch (const std::bad_alloc&) {
    std::cerr << "limbeck: data: memory: the job must fit into memory. Next: use fewer threads\n";
    return limbeck::exit_code(limbeck::Category::kData);
  } catch (const std::exception& error) {
    std::cerr << "limbeck: internal error: " << error.what()
              << ". Next: report this bug with the command\n";
    return limbeck::exit_code(limbeck::Category::kInternal);
  }
}
