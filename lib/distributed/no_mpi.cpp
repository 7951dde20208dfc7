// limbeck without MPI: every job is one process.
#include <iostream>

#include "lib/base/error.h"
#include "lib/distributed/launcher.h"
#include "lib/distributed/world.h"

namespace limbeck {

Communicator& world() {
  // Several processes would each do the whole job, over the same files.
  if (launched_ranks() > 1) {
    throw_error(Category::kUnsupported, "mpirun", "a job of several ranks needs limbeck with MPI",
                std::to_string(launched_ranks()) + " ranks of a limbeck without",
                "install libopenmpi-dev and build with -DLIMBECK_MPI=ON, or start one process");
  }
  static const std::unique_ptr<Communicator> alone = local_communicator();
  return *alone;
}

bool built_with_mpi() { return false; }

struct LastWords::Watch {};
// NOLINTNEXTLINE(performance-unnecessary-value-param): the form that the header has
LastWords::LastWords(std::function<std::string()>) {}
LastWords::~LastWords() = default;

int leave_world(int code, const std::string& message) {
  if (!message.empty()) std::cerr << message << "\n";
  return code;
}

}  // namespace limbeck
