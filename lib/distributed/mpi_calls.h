// What every use of MPI here needs. Internal to lib/distributed.
#pragma once

#define OMPI_SKIP_MPICXX 1  // the C++ bindings that MPI 3 removed
#define MPICH_SKIP_MPICXX 1
#include <mpi.h>

#include <memory>
#include <string>
#include <vector>

#include "lib/distributed/communicator.h"

namespace limbeck {

/// The error of a job that cannot go on because another rank is gone, or a signal came.
[[noreturn]] void throw_lost_rank(const std::string& received);

/// Raises throw_lost_rank() unless `result` is MPI_SUCCESS.
void check_mpi(int result);

/// Lives while the main thread is inside a call of MPI that may not return (LastWords). Does not
/// nest.
class InsideMpi {
 public:
  InsideMpi();
  ~InsideMpi();
  InsideMpi(const InsideMpi&) = delete;
  InsideMpi& operator=(const InsideMpi&) = delete;
};

/// Ends the process after a signal. Ranks other than 0 first give it time for its checkpoint: Open
/// MPI kills the rest of a job as soon as one more rank has ended.
[[noreturn]] void exit_interrupted(int rank);

/// Waits asleep, so that a waiting rank leaves its core to whoever computes there (MPI_Wait spins).
/// Raises kInterrupted after a signal.
void wait_for(MPI_Request& request);

/// One step of such a wait.
void pause_briefly();

std::unique_ptr<OrderedSum> mpi_sum(MPI_Comm comm, const std::vector<size_t>& pieces);

}  // namespace limbeck
