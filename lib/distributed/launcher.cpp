#include "lib/distributed/launcher.h"

#include <cstdlib>

namespace limbeck {
namespace {

/// Open MPI, MPICH and its relatives, PMIx (which names only the rank).
constexpr const char* kSizes[] = {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE"};
constexpr const char* kPmixRank = "PMIX_RANK";

}  // namespace

int launched_ranks() {
  for (const char* name : kSizes) {
    const char* value = std::getenv(name);
    if (value != nullptr) return std::atoi(value);
  }
  return 0;
}

bool has_launcher() { return launched_ranks() > 0 || std::getenv(kPmixRank) != nullptr; }

}  // namespace limbeck
