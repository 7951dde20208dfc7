// What `limbeck inspect` tells, as text and as JSON.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "lib/model/analysis.h"

namespace limbeck {

/// The facts behind both forms.
struct Inspection {
  std::string path;
  ModelSummary summary;
  std::vector<OperatorCount> missing;  ///< operators that limbeck's engine cannot run
  std::string shape_problem;           ///< why shapes could not be inferred; empty when they could
};

/// Infers shapes in `model`, then counts.
Inspection inspect_model(Model& model, const std::string& path);

std::string inspection_text(const Inspection& inspection);
/// Documented in docs/formats/inspect.md.
nlohmann::ordered_json inspection_json(const Inspection& inspection);

}  // namespace limbeck
