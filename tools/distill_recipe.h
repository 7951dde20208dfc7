// The recipe of a training job.
#pragma once

#include "lib/distill/recipe.h"
#include "tools/distill_job.h"

namespace limbeck {

/// The recipe with what the command line says instead. Raises what load_recipe raises, and kUsage
/// for a domain that cannot be read.
Recipe merged_recipe(const DistillJob& job);

/// Raises kUsage, with all complaints at once, for options that do not fit each other.
void check_recipe(const DistillJob& job, const Recipe& recipe);

}  // namespace limbeck
