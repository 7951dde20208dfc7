// How a comparison comes about: figures first, then the gate's rules. Internal to lib/report.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "lib/evaluate/statistics.h"
#include "lib/report/compare.h"

namespace limbeck {

/// Per-sample records of the emitted model; empty without labels. Raises kData when the three lists
/// differ in length or a correctness is neither 0 nor 1.
std::vector<SampleRecord> model_records(const nlohmann::json& report, const std::string& place);

/// Per-sample results of two models, and what they say about the difference.
struct PairedRecords {
  PairedComparison statistics;
  std::vector<SampleRecord> a;  ///< of the samples in both, in order of index
  std::vector<SampleRecord> b;  ///< same samples
};

/// Nothing unless both reports have per-sample results. Raises kData when no sample is shared.
std::optional<PairedRecords> pair_reports(const nlohmann::json& a, const nlohmann::json& b);

/// Figures that both reports hold, in a fixed order, user metrics last. top1 and loss are those of
/// the shared samples. `same_samples`: both reports measured the same ones.
std::vector<ComparedFigure> compare_figures(const nlohmann::json& a, const nlohmann::json& b,
                                            const std::optional<PairedRecords>& paired,
                                            bool same_samples);

/// Applies every rule: max_drop, max_rise, min, max; figures in alphabetical order within each.
std::vector<GateResult> apply_gate(const nlohmann::json& gate,
                                   const std::vector<ComparedFigure>& figures);

}  // namespace limbeck
