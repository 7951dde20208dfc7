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

/// Figures that both reports hold, in a fixed order, user metrics last.
std::vector<ComparedFigure> compare_figures(const nlohmann::json& a, const nlohmann::json& b,
                                            const std::optional<PairedComparison>& paired);

/// Applies every rule: max_drop, max_rise, min, max; figures in alphabetical order within each.
std::vector<GateResult> apply_gate(const nlohmann::json& gate,
                                   const std::vector<ComparedFigure>& figures,
                                   const std::optional<PairedComparison>& paired);

}  // namespace limbeck
