#include "lib/report/compare.h"

#include <algorithm>
#include <cmath>

#include "lib/base/error.h"
#include "lib/base/format.h"
#include "lib/report/compared.h"

namespace limbeck {
namespace {

using nlohmann::json;

void require_same_data(const json& a, const json& b) {
  const std::string first = a.at("evaluation").at("data_hash");
  const std::string second = b.at("evaluation").at("data_hash");
  if (first == second) return;
  throw_error(Category::kData, "the two reports", "both must come from the same evaluation data",
              "data hashes " + first.substr(0, 12) + " and " + second.substr(0, 12),
              "evaluate both models on one data set");
}

int64_t samples_of(const json& report) {
  return report.at("evaluation").at("metrics").at("samples");
}

/// Fills who measured what, and says whether both measured the same samples. Without per-sample
/// results only the numbers can tell.
bool count_samples(const json& a, const json& b, const std::optional<PairedRecords>& paired,
                   Comparison* comparison) {
  comparison->samples_a = samples_of(a);
  comparison->samples_b = samples_of(b);
  if (!paired) return comparison->samples_a == comparison->samples_b;
  comparison->shared_samples = paired->statistics.samples;
  return comparison->shared_samples == comparison->samples_a &&
         comparison->shared_samples == comparison->samples_b;
}

std::string p_text(double p_value) {
  return "exact McNemar p " + std::string(p_value < 0.001 ? "" : "= ") + readable_p(p_value);
}

std::string counted(int64_t count) {
  return grouped(count) + (count == 1 ? " sample" : " samples");
}

/// "on 10 shared samples", and of how many where the reports measured others as well.
std::string where_measured(const Comparison& comparison) {
  const int64_t shared = comparison.shared_samples;
  std::string text = " on the " + counted(shared) + " that both reports measured";
  if (shared == comparison.samples_a && shared == comparison.samples_b) return text;
  return text + " (a measured " + grouped(comparison.samples_a) + ", b " +
         grouped(comparison.samples_b) + ")";
}

std::string paired_summary(const PairedComparison& paired, const Comparison& comparison) {
  const std::string where = where_measured(comparison);
  const std::string counts = "; only right in a " + grouped(paired.only_a_correct) +
                             ", only in b " + grouped(paired.only_b_correct) +
                             "; 95 % interval of the change " + with_sign(paired.interval.low, 2) +
                             " to " + with_sign(paired.interval.high, 2);
  if (paired.only_a_correct == paired.only_b_correct) {
    return "Top-1 is the same" + where + counts + ".";
  }
  const std::string change = std::string("Top-1 ") + (paired.difference < 0 ? "falls" : "rises") +
                             " by " + fixed(std::abs(paired.difference), 2) + " points" + where;
  return change + (paired.significant ? ": significant, not noise (" : ": within noise (") +
         p_text(paired.p_value) + counts + ").";
}

bool same_reference(const json& a, const json& b) {
  const json::json_pointer hash("/files/reference/sha256");
  return !a.contains(hash) || !b.contains(hash) || a.at(hash) == b.at(hash);
}

bool any_over_own_samples(const Comparison& comparison) {
  return std::any_of(comparison.figures.begin(), comparison.figures.end(),
                     [](const ComparedFigure& figure) { return figure.over == "own samples"; });
}

std::string summary_of(const json& a, const json& b, const std::optional<PairedRecords>& paired,
                       const Comparison& comparison) {
  std::string text = paired ? paired_summary(paired->statistics, comparison)
                            : "No per-sample results in both reports: significance is not judged.";
  if (any_over_own_samples(comparison)) {
    text += " Figures marked \"own samples\" are each over all samples of their report (" +
            grouped(comparison.samples_a) + " and " + grouped(comparison.samples_b) +
            "), so the samples are part of the change.";
  }
  if (!same_reference(a, b)) {
    text +=
        " The FP32 references differ, so agreement, SQNR, cosine and KL have different "
        "yardsticks.";
  }
  return text;
}

}  // namespace

Comparison compare_reports(const json& a, const json& b, const json& gate) {
  require_same_data(a, b);
  const std::optional<PairedRecords> paired = pair_reports(a, b);
  Comparison comparison;
  const bool same_samples = count_samples(a, b, paired, &comparison);
  comparison.figures = compare_figures(a, b, paired, same_samples);
  comparison.paired = paired.has_value();
  if (paired) comparison.p_value = paired->statistics.p_value;
  comparison.summary = summary_of(a, b, paired, comparison);
  if (!gate.is_null()) comparison.gates = apply_gate(gate, comparison.figures);
  comparison.passed = std::all_of(comparison.gates.begin(), comparison.gates.end(),
                                  [](const GateResult& result) { return result.passed; });
  return comparison;
}

}  // namespace limbeck
