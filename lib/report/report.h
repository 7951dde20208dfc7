// The accuracy report: JSON (schemas/report.schema.json, docs/formats/report.md) and one
// self-contained HTML page made from that JSON alone.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "calibration/calibration.h"
#include "lib/evaluate/evaluate.h"
#include "lib/quantize/plan.h"

namespace limbeck {

/// A file that the report is about.
struct ReportedFile {
  std::string name;  ///< file name without folders
  std::string sha256;
  int64_t bytes = 0;
};

/// Everything that differs from run to run.
struct RunInfo {
  std::string command;  ///< the exact command line
  std::string started;  ///< UTC, ISO 8601
  double seconds = 0;   ///< wall time of the job
  int threads = 0;
  std::string host;  ///< CPU model, system
  int64_t peak_memory_bytes = 0;
};
/// Fills what the system knows: host, peak memory, the number of cores where `threads` is 0.
RunInfo current_run(const std::string& command, const std::string& started, double seconds,
                    int threads);

struct ReportInputs {
  ReportedFile reference;                         ///< FP32 model; no name when there is none
  ReportedFile model;                             ///< emitted model
  std::string format;                             ///< "qdq", "qoperator" or "dynamic"
  std::string weights;                            ///< "int8" ...
  std::string activations;                        ///< "uint8" ...
  std::optional<int64_t> reference_weight_bytes;  ///< bytes of all constants
  std::optional<int64_t> model_weight_bytes;      ///< same
  std::string calibration_data_hash;
  int64_t calibration_samples = 0;
  std::string evaluation_data_hash;
  /// Where the evaluated samples came from: "separate data set" or "samples of the calibration data
  /// that were not calibrated on".
  std::string evaluation_source;
  Evaluation evaluation;
  Plan plan;
  /// May be null (plan fed back without a table): then no histograms.
  const CalibrationTable* table = nullptr;
  RunInfo run;
};

/// Deterministic but for the member "run". Histograms (64 bins and the chosen range) of the 8
/// layers of least SQNR that the table knows are included. What could not be measured is absent.
nlohmann::ordered_json make_report(const ReportInputs& inputs);

/// Writes report.json (validated against its schema) and report.html into `folder`, whole or not at
/// all.
void write_report(const nlohmann::ordered_json& report, const std::filesystem::path& folder);
/// Loads and validates. Raises kIo, kData (malformed, of another version, or against the schema).
nlohmann::json load_report(const std::filesystem::path& path);

/// The HTML page: no scripts, no external resources; light and dark; readable at 360 px. `report`
/// follows the schema.
std::string render_html(const nlohmann::json& report);

}  // namespace limbeck
