// Parts that the JSON of an evaluation and that of a report have in common.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>

#include "lib/evaluate/evaluate.h"
#include "lib/evaluate/statistics.h"

namespace limbeck {

// Numbers carry nine significant digits (tidy), names are UTF-8 (valid_utf8).

/// Sets the member when there is a value.
void put(nlohmann::ordered_json* object, const char* name, const std::optional<double>& value);

/// Absent figures are absent members.
nlohmann::ordered_json metrics_json(const Metrics& metrics);

/// `paired` compares the reference (a) with the model (b).
nlohmann::ordered_json paired_json(const PairedComparison& paired);

nlohmann::ordered_json layer_json(const LayerError& layer);

/// Losses as they are stored, so that statistics made here and from a loaded report agree.
std::vector<SampleRecord> stored_records(const std::vector<SampleRecord>& records);

/// The reference compared with the model on stored records; nothing when either has none.
std::optional<PairedComparison> paired_with_reference(const Evaluation& evaluation);

}  // namespace limbeck
