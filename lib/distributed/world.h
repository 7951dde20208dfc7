// The ranks that this process was started with, by mpirun or a batch system, and how it leaves
// them.
#pragma once

#include <string>

#include "lib/distributed/communicator.h"

namespace limbeck {

/// All ranks of the job; one process alone when no launcher started it. The first call joins them:
/// from the main thread, before other threads start. Raises kUnsupported where a launcher started
/// several processes and limbeck was built without MPI.
Communicator& world();

/// Whether this limbeck was built with MPI.
bool built_with_mpi();

/// The last call of the program: prints `message` (unless empty) to standard error, and returns the
/// code that the process must exit with. A failure that all ranks share is told once, by rank 0. A
/// failure of one rank alone is told by that rank, and ends the whole job with its exit code; then,
/// and after a signal, the call does not return.
int leave_world(int code, const std::string& message);

}  // namespace limbeck
