// A compiled model: steps in order and the table of run-time values that they read and write.
#pragma once

#include <string>
#include <vector>

#include "lib/engine/engine.h"
#include "lib/engine/step.h"

namespace limbeck {

/// What a graph input must look like.
struct InputRule {
  std::string name;
  int slot = -1;
  DataType type = DataType::kUndefined;
  std::optional<Shape> shape;
};

struct Program {
  std::vector<Step> steps;
  size_t slot_count = 0;
  /// Constants, by slot; the slots of computed values are empty here.
  std::vector<Activation> constants;
  std::vector<InputRule> inputs;
  std::vector<std::string> output_names;
  std::vector<int> output_slots;
  /// Slots of EngineOptions::watched.
  std::vector<int> watched_slots;
  double integer_mac_share = 0;
  /// Multiply-accumulates of one sample for the average step; infinity where some are unknown.
  double macs_per_step = 0;
  /// Samples that run together; 0 when a batch must not be taken apart.
  int64_t samples_together = 0;
};

/// `model` has inferred shapes and outlives the program's kernels.
Program build_program(const Model& model, const EngineOptions& options);

/// Multiply-accumulates of one sample for a Conv, ConvTranspose, Gemm or MatMul; 0 where shapes are
/// unknown. Unknown leading dimensions count as 1.
double sample_macs(const Node& node);

}  // namespace limbeck
