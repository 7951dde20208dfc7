// An evaluation as `limbeck evaluate` shows it: JSON (schemas/evaluation.schema.json,
// docs/formats/evaluation.md) and a table.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "lib/evaluate/evaluate.h"

namespace limbeck {

/// What was evaluated.
struct EvaluationSubject {
  std::string model;      ///< file name without folders
  std::string reference;  ///< same; empty without a reference
  std::string data_hash;  ///< Dataset::hash()
};

/// Follows schemas/evaluation.schema.json. Holds nothing that differs from run to run.
nlohmann::ordered_json evaluation_json(const Evaluation& evaluation,
                                       const EvaluationSubject& subject);

/// For a terminal: figures side by side, whether a difference is noise, and the layers of least
/// SQNR.
std::string evaluation_text(const Evaluation& evaluation, const EvaluationSubject& subject);

}  // namespace limbeck
