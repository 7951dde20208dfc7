// The training job, as the distill command and recipes run it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "tools/commands.h"

namespace limbeck {

/// Paths and numbers given here stand above those of the recipe.
struct DistillJob {
  std::string teacher;
  std::string student;
  std::string data;
  std::string eval;
  std::string recipe;
  std::string teacher_cache;
  int64_t memory_budget = 0;  ///< bytes; 0: any
  std::string domain;         ///< "classes=3,5,7"; empty: the recipe's
  std::string output;
  std::optional<int64_t> epochs;
  std::optional<int64_t> batch;
  bool own_seed = false;  ///< the seed was asked for, not defaulted
  bool resume = false;
  bool baseline = false;
  CommonOptions common;
};

/// Trains, saves, measures, reports; prints the result. Raises kUsage for options that do not fit
/// each other, with all complaints at once, and what the library raises.
void run_distill(const DistillJob& job);

}  // namespace limbeck
