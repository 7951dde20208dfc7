// Turns every failure into one message on standard error and an exit code (docs/errors.md).
#include <exception>
#include <iostream>
#include <new>

#include "lib/base/error.h"
#include "lib/base/progress.h"
#include "tools/commands.h"

int main(int argc, char** argv) {
  using limbeck::Category;
  limbeck::install_interrupt_handler();
  try {
    limbeck::run_command_line({argv + 1, argv + argc});
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
