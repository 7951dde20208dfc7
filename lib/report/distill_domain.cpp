#include <algorithm>

#include "lib/base/format.h"
#include "lib/evaluate/statistics.h"
#include "lib/report/distill_report.h"

namespace limbeck {
namespace {

using Json = nlohmann::ordered_json;

struct Tally {
  int64_t samples = 0;
  int64_t correct = 0;
};

Tally tally(const MeasuredModel& model, const DistillReportInputs& inputs, bool inside) {
  Tally result;
  for (const SampleRecord& record : model.evaluation.records) {
    const int64_t label = inputs.labels.at(static_cast<size_t>(record.index));
    if (std::binary_search(inputs.domain.begin(), inputs.domain.end(), label) != inside) continue;
    ++result.samples;
    result.correct += record.correct ? 1 : 0;
  }
  return result;
}

void put_part(Json& domain, const char* name, const DistillReportInputs& inputs, bool inside) {
  Json part;
  const auto add = [&](const char* role, const MeasuredModel& model) {
    const Tally counts = tally(model, inputs, inside);
    if (counts.samples == 0) return;
    const Interval interval = wilson_interval(counts.correct, counts.samples);
    part["samples"] = counts.samples;
    part[role] = {{"top1", tidy(100.0 * static_cast<double>(counts.correct) /
                                static_cast<double>(counts.samples))},
                  {"top1_interval", {tidy(100 * interval.low), tidy(100 * interval.high)}}};
  };
  if (inputs.teacher) add("teacher", *inputs.teacher);
  add("student", inputs.before);
  add("model", inputs.after);
  if (inputs.baseline) add("baseline", *inputs.baseline);
  if (!part.is_null()) domain[name] = part;
}

}  // namespace

Json domain_json(const DistillReportInputs& inputs) {
  Json domain = {{"classes", inputs.domain}};
  put_part(domain, "inside", inputs, true);
  put_part(domain, "outside", inputs, false);
  return domain;
}

}  // namespace limbeck
