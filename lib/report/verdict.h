// One sentence about what quantization cost. Internal to lib/report.
#pragma once

#include <optional>
#include <string>

#include "lib/evaluate/evaluate.h"
#include "lib/evaluate/statistics.h"

namespace limbeck {

struct Verdict {
  /// "same", "noise" (not significant), "loss", "gain", or "unknown" without paired results.
  std::string judgement = "unknown";
  std::string sentence;
};

/// `paired` compares the reference (a) with the model (b).
Verdict judge(const Evaluation& evaluation, const std::optional<PairedComparison>& paired);

}  // namespace limbeck
