#include "lib/report/report_parts.h"

#include <string>

#include "lib/base/format.h"

namespace limbeck {

using Json = nlohmann::ordered_json;

Json file_json(const ReportedFile& file) {
  return {{"name", valid_utf8(file.name)}, {"sha256", file.sha256}, {"bytes", file.bytes}};
}

Json records_json(const std::vector<SampleRecord>& records) {
  Json index = Json::array();
  Json loss = Json::array();
  std::string correct;
  for (const SampleRecord& record : records) {
    index.push_back(record.index);
    loss.push_back(record.loss);
    correct += record.correct ? '1' : '0';
  }
  return {{"index", index}, {"correct", correct}, {"loss", loss}};
}

Json run_json(const RunInfo& run) {
  return {{"command", valid_utf8(run.command)}, {"started", run.started},
          {"seconds", tidy(run.seconds)},       {"threads", run.threads},
          {"host", valid_utf8(run.host)},       {"peak_memory_bytes", run.peak_memory_bytes}};
}

}  // namespace limbeck
