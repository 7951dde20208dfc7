// What a launcher of parallel jobs says in the environment. Internal to lib/distributed.
#pragma once

namespace limbeck {

/// Whether mpirun, srun or another launcher started this process as a rank.
bool has_launcher();

/// How many ranks it started; 0 where it does not say.
int launched_ranks();

}  // namespace limbeck
