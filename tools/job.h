// The main job, as the quantize command and recipes run it.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "lib/quantize/plan.h"
#include "tools/commands.h"

namespace limbeck {

struct QuantizeJob {
  std::string model;
  std::string data;
  std::string table;
  std::string eval;
  std::string output;
  std::string plan;
  std::string save_plan;
  std::string metric_command;
  int64_t metric_patience = 600;  ///< EvaluateOptions::metric_patience
  std::vector<std::string> overrides;
  std::optional<int64_t>
      samples;  ///< to calibrate on; default: as a given plan did, else CalibrationOptions's
  int64_t eval_samples = 0;  ///< to measure on; 0: all of --eval, at most kHeldOut of --data
  bool no_report = false;
  bool own_patience = false;  ///< metric_patience was asked for
  bool own_seed = false;      ///< the seed was asked for, not defaulted
  /// Options that were given although a plan decides what they say.
  std::vector<std::string> beside_plan;
  /// Options that were given although --dynamic observes nothing.
  std::vector<std::string> beside_dynamic;
  PlanOptions plan_options;
  CommonOptions common;
};

/// Held-out samples of the calibration data that a report without --eval is measured on, at most.
inline constexpr int64_t kHeldOut = 10000;

/// Checks every combination of options at once; raises kUsage with all complaints.
void check_job(const QuantizeJob& job);

PlanOptions plan_options(const std::string& weights, const std::string& activations,
                         const std::string& observer);

/// Calibrates, plans, rewrites, saves, measures; prints the result.
void run_quantize(const QuantizeJob& job);

}  // namespace limbeck
