// Members that every report has. Internal to lib/report.
#pragma once

#include <nlohmann/json.hpp>
#include <vector>

#include "lib/report/report.h"

namespace limbeck {

nlohmann::ordered_json file_json(const ReportedFile& file);
/// Per-sample results in columns.
nlohmann::ordered_json records_json(const std::vector<SampleRecord>& records);
nlohmann::ordered_json run_json(const RunInfo& run);

}  // namespace limbeck
