#include "lib/report/compare.h"

#include <algorithm>
#include <cmath>

#include "lib/base/error.h"
#include "lib/report/compared.h"
#include "lib/report/format.h"

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

std::optional<PairedComparison> pair_reports(const json& a, const json& b) {
  const std::vector<SampleRecord> first = model_records(a, "the first report");
  const std::vector<SampleRecord> second = model_records(b, "the second report");
  if (first.empty() || second.empty()) return {};
  return compare_records(first, second);
}

std::string p_text(double p_value) {
  return "McNemar p " + std::string(p_value < 0.001 ? "" : "= ") + readable_p(p_value);
}

std::string paired_summary(const PairedComparison& paired) {
  const std::string where = " on " + grouped(paired.samples) + " common samples";
  const std::string counts = " (" + grouped(paired.only_a_correct) + " only right in a, " +
                             grouped(paired.only_b_correct) + " only right in b)";
  if (paired.only_a_correct == paired.only_b_correct) {
    return "Top-1 is the same" + where + counts + ".";
  }
  const char* verb = paired.difference < 0 ? "falls" : "rises";
  const std::string change = std::string("Top-1 ") + verb + " by " +
                             fixed(std::abs(paired.difference), 2) + " points" + where + counts +
                             ", 95 % interval " + with_sign(paired.interval.low, 2) + " to " +
                             with_sign(paired.interval.high, 2);
  return change + (paired.significant ? ": significant, not noise (" : ": within noise (") +
         p_text(paired.p_value) + ").";
}

bool same_reference(const json& a, const json& b) {
  const json::json_pointer hash("/files/reference/sha256");
  return !a.contains(hash) || !b.contains(hash) || a.at(hash) == b.at(hash);
}

std::string summary_of(const json& a, const json& b,
                       const std::optional<PairedComparison>& paired) {
  std::string text = paired ? paired_summary(*paired)
                            : "No per-sample results in both reports: significance is not judged.";
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
  const std::optional<PairedComparison> paired = pair_reports(a, b);
  Comparison comparison;
  comparison.figures = compare_figures(a, b, paired);
  comparison.paired = paired.has_value();
  if (paired) comparison.p_value = paired->p_value;
  comparison.summary = summary_of(a, b, paired);
  if (!gate.is_null()) comparison.gates = apply_gate(gate, comparison.figures, paired);
  comparison.passed = std::all_of(comparison.gates.begin(), comparison.gates.end(),
                                  [](const GateResult& result) { return result.passed; });
  return comparison;
}

}  // namespace limbeck
