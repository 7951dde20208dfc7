#include "lib/report/verdict.h"

#include <cmath>

#include "lib/base/format.h"

namespace limbeck {
namespace {

std::string samples_of(int64_t count) {
  return grouped(count) + (count == 1 ? " sample" : " samples");
}

std::string percent(double value) { return fixed(value, 2) + " %"; }

std::string interval_of(const std::optional<Interval>& interval) {
  if (!interval) return "";
  return " (95 % interval " + fixed(interval->low, 2) + " to " + fixed(interval->high, 2) + ")";
}

Verdict judge_paired(const PairedComparison& paired, double before, double after) {
  if (paired.only_a_correct == paired.only_b_correct) {
    return {"same", "Top-1 stays at " + percent(after) + " on " + samples_of(paired.samples) + "."};
  }
  const bool fell = paired.difference < 0;
  const std::string change = std::string("Top-1 ") + (fell ? "falls by " : "rises by ") +
                             fixed(std::abs(paired.difference), 2) + " points, from " +
                             percent(before) + " to " + percent(after) + " on " +
                             samples_of(paired.samples);
  const std::string p = " (McNemar p " + std::string(paired.p_value < 0.001 ? "" : "= ") +
                        readable_p(paired.p_value) + ")";
  if (!paired.significant) return {"noise", change + "; that is within noise" + p + "."};
  return {fell ? "loss" : "gain",
          change + "; the " + (fell ? "loss" : "gain") + " is real, not noise" + p + "."};
}

std::string without_pairs(const Metrics& metrics) {
  if (metrics.agreement) {
    return "The model answers like its FP32 reference on " + percent(*metrics.agreement) + " of " +
           samples_of(metrics.samples) + interval_of(metrics.agreement_interval) +
           "; without labels accuracy itself is not judged.";
  }
  if (metrics.top1) {
    return "Top-1 is " + percent(*metrics.top1) + " on " + samples_of(metrics.samples) +
           interval_of(metrics.top1_interval) +
           "; there is no FP32 reference, so the change is not judged.";
  }
  if (metrics.sqnr_db) {
    return "The outputs follow the FP32 reference with an SQNR of " + fixed(*metrics.sqnr_db, 1) +
           " dB on " + samples_of(metrics.samples) +
           "; accuracy itself is judged where there are labels and class scores (a float output "
           "[samples, classes]).";
  }
  return "The model ran on " + samples_of(metrics.samples) +
         "; without labels or an FP32 reference nothing is judged.";
}

}  // namespace

Verdict judge(const Evaluation& evaluation, const std::optional<PairedComparison>& paired) {
  const Metrics& metrics = evaluation.metrics;
  const bool both = metrics.top1 && evaluation.reference && evaluation.reference->top1;
  if (paired && both) return judge_paired(*paired, *evaluation.reference->top1, *metrics.top1);
  return {"unknown", without_pairs(metrics)};
}

}  // namespace limbeck
