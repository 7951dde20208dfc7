// What the relational losses share. Internal to lib/distill/losses.
#pragma once

#include <string>

#include "lib/distill/losses/loss.h"
#include "lib/distill/losses/rows.h"

namespace limbeck {

/// Each sample one vector; those of student and teacher may have different lengths.
struct RelationRows {
  Rows student;
  Rows teacher;
};
/// Raises kUsage unless both have the same samples.
RelationRows read_relation_rows(const LossInput& input, const std::string& loss);

double distance_between(std::span<const double> a, std::span<const double> b);

}  // namespace limbeck
