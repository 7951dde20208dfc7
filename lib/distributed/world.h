// The ranks that this process was started with, by mpirun or a batch system, and how it leaves
// them.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "lib/distributed/communicator.h"

namespace limbeck {

/// All ranks of the job; one process alone when no launcher started it. The first call joins them:
/// from the main thread, before other threads start. Raises kUnsupported where a launcher started
/// several processes and limbeck was built without MPI.
Communicator& world();

/// Whether this limbeck was built with MPI.
bool built_with_mpi();

/// A call of MPI may never return once another rank is gone. While this object lives, and a signal
/// has come, and the main thread has been inside such a call for a fifth of a second, `speak` is
/// called on another thread: it saves what must not be lost, and returns the message for standard
/// error (empty: none). The main thread does not leave the call before the process ends, with the
/// exit code of kInterrupted. Does nothing for one process alone. At most one lives at a time.
class LastWords {
 public:
  explicit LastWords(std::function<std::string()> speak);
  ~LastWords();
  LastWords(const LastWords&) = delete;
  LastWords& operator=(const LastWords&) = delete;

 private:
  struct Watch;
  std::unique_ptr<Watch> watch_;  ///< null for one process alone
};

/// The last call of the program: prints `message` (unless empty) to standard error, and returns the
/// code that the process must exit with. A failure that all ranks share is told once, by rank 0. A
/// failure of one rank alone is told by that rank, and ends the whole job with its exit code; then,
/// and after a signal, the call does not return.
int leave_world(int code, const std::string& message);

}  // namespace limbeck
