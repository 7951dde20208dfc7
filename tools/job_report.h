// What the quantize command does once the model is written: measure it, write the report, print the
// result.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "calibration/calibration.h"
#include "lib/data/dataset.h"
#include "lib/model/model.h"
#include "lib/quantize/apply.h"
#include "lib/quantize/plan.h"
#include "lib/report/report.h"
#include "tools/job.h"

namespace limbeck {

/// When a job began: for its duration, and as a date.
struct JobClock {
  std::chrono::steady_clock::time_point ticks;
  std::chrono::system_clock::time_point date;
  static JobClock now() {
    return {std::chrono::steady_clock::now(), std::chrono::system_clock::now()};
  }
  double seconds() const;
  std::string utc() const;  ///< ISO 8601
};

/// References live as long as the job.
struct JobResult {
  const QuantizeJob& job;
  const Model& source;
  const Plan& plan;
  const CalibrationTable& table;
  const AppliedPlan& applied;
  std::filesystem::path emitted;  ///< where it lies now
  std::vector<int64_t> held_out;  ///< samples of the calibration data left to measure on
  JobClock started;
  std::optional<double>
      integer_mac_share;  ///< 0 to 1; absent where the engine cannot run the model
};

/// A file on disk as reports name it. Raises kIo.
ReportedFile reported_file(const std::filesystem::path& path);

/// Measures the emitted file on `data` (--eval, else held-out samples of --data) and writes the
/// report; null with --no-report.
nlohmann::ordered_json report_job(const JobResult& result, const Dataset* data);

/// What share of the multiply-accumulates runs in integers: as the report says, else as the engine
/// compiles it; nothing where it lacks an operator.
std::optional<double> integer_mac_share(const JobResult& result,
                                        const nlohmann::ordered_json& report);

/// Prints what the job made, as text or JSON.
void print_job(const JobResult& result, const nlohmann::ordered_json& report);

}  // namespace limbeck
