// A small report made by hand, for tests of everything that reads reports.
#pragma once

#include <string>
#include <vector>

#include "lib/report/report.h"

namespace limbeck::test {

/// One record a character: '1' correct with a loss of 0.25 nats, '0' wrong with a loss of 2 nats;
/// indices from zero.
std::vector<SampleRecord> records(const std::string& correct);

/// Metrics that follow from records: samples, top1, its interval and loss.
Metrics metrics_of(const std::vector<SampleRecord>& records);

/// Ten samples: the reference is right on all but the last, the model on all but the last two.
/// Three layers, a plan, and the names of a small model. No calibration table.
ReportInputs example_inputs();

/// The report of example_inputs() as a loaded file gives it, with other per-sample results.
nlohmann::json example_report(const std::string& model_correct);

}  // namespace limbeck::test
