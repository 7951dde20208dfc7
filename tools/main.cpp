// Turns every failure into one message on standard error and an exit code (docs/errors.md).
#include <unistd.h>

#include <cstdlib>
#include <exception>
#include <iostream>
#include <new>
#include <string>
#include <tuple>

#include "lib/base/error.h"
#include "lib/base/progress.h"
#include "lib/distributed/world.h"
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

struct Ending {
  int code = 0;
  std::string message = {};
};

Ending run(int argc, char** argv) {
  using limbeck::Category;
  try {
    limbeck::run_command_line({argv + 1, argv + argc});
    if (!std::cout.flush()) {
      limbeck::throw_error(Category::kIo, "standard output", "the result must be written whole",
                           "a failed write", "check the disk, or the program that reads it");
    }
    return {};
  } catch (const limbeck::Error& error) {
    return {limbeck::exit_code(error.category()), std::string("limbeck: ") + error.what()};
  } catch (const std::bad_alloc&) {
    return {limbeck::exit_code(Category::kData),
            "limbeck: data: memory: the job must fit into memory. Next: use fewer threads"};
  } catch (const std::exception& error) {
    return {limbeck::exit_code(Category::kInternal),
            std::string("limbeck: internal error: ") + error.what() +
                ". Next: report this bug with the command"};
  }
}

}  // namespace

int main(int argc, char** argv) {
  // No output depends on local time. Without TZ, converting the time stamp of each of an archive's
  // members looks at /etc/localtime: 50,000 of them cost a tenth of a second.
  std::ignore = ::setenv("TZ", "UTC0", 0);
  bound_spinning(argv);
  limbeck::install_interrupt_handler();
  const Ending ending = run(argc, argv);
  return limbeck::leave_world(ending.code, ending.message);
}
