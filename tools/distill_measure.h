// Measures the models of a distillation and writes its report.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

#include "lib/data/dataset.h"
#include "lib/model/model.h"
#include "lib/report/distill_report.h"

namespace limbeck {

/// Where models are measured.
struct MeasuredOn {
  const Dataset& data;
  std::vector<int64_t> indices;  ///< empty: all samples
  int threads = 0;
  bool quiet = false;
};

/// Runs the model in the file, beside `teacher` (may be null). Raises what evaluate() raises.
MeasuredModel measure_file(const std::filesystem::path& path, const Model* teacher,
                           const MeasuredOn& on);

/// The teacher's part of an evaluation in which it was the reference.
MeasuredModel measured_teacher(const std::filesystem::path& path, const Model& teacher,
                               const Evaluation& evaluation);

/// What the command prints.
void print_distill(const nlohmann::ordered_json& report, const std::filesystem::path& folder,
                   bool json);

}  // namespace limbeck
