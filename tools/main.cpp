// Turns every failure into one message on standard error and an exit code (docs/errors.md).
#include <unistd.h>

#include <cstdlib>
#include <exception>
#include <iostream>
#include <new>

#include "lib/base/error.h"
#include "lib/base/progress.h"
#include "tools/commands.h"

namespace {

/// Threads of one primitive wait for each other by spinning. On a busy machine that costs hundreds
/// of times the work itself, so the spinning is bounded. The OpenMP runtime reads its settings
/// while the program is loaded: the program starts again with them. The user's own settings stand.
void bound_spinning(char** argv) {
  if (std::getenv("GOMP_SPINCOUNT") != nullptr || std::getenv("OMP_WAIT_POLICY") != nullptr) return;
  if (::setenv("GOMP_SPINCOUNT", "1000", 1) != 0) return;
  ::execv("/proc/self/exe", argv);  // returns only on failure: then it runs without
}

}  // namespace

int main(int argc, char** argv) {
  using limbeck::Category;
  bound_spinning(argv);
  limbeck::install_interrupt_handler();
  try {
    limbeck::run_command_line({argv + 1, argv + argc});
    if (!std::cout.flush()) {
      limbeck::throw_error(Category::kIo, "standard output", "the result must be written whole",
                           "a failed write", "check the disk, or the program that reads it");
    }
    return 0;
  } catch (const limbeck::Error& error) {
    std::cerr << "limbeck: " << error.what() << "\n";
    return limbeck::exit_code(error.category());
  } catch (const std::bad_alloc&) {
    std::cerr << "limbeck: data: memory: the job must fit into memory. Next: use fewer threads\n";
    return limbeck::exit_code(Category::kData);
  } catch (const std::exception& error) {
    std::cerr << "limbeck: internal error: " << error.what()
              << ". Next: report this bug with the command\n";
    return limbeck::exit_code(Category::kInternal);
  }
}
