// Quantization-aware training: a student that computes, while it trains, what is emitted.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/quantize/apply.h"
#include "lib/quantize/plan.h"
#include "lib/quantize/training_graph.h"

namespace limbeck {

/// The formats that a student can be trained for, in the order of their size.
///   int8  8-bit weights and activations
///   w4a8  4-bit weights, 8-bit activations
///   w4a4  4-bit weights and operands of weighted layers, but for the first and the last layer
///   w2a8  weights of 2 bits (codes -1, 0, 1, stored in int4) but for the first and the last layer
std::span<const std::string_view> qat_formats();
/// Raises kUsage, listing the formats, for any other. `place` goes into the error.
PlanOptions qat_plan_options(const std::string& format, const std::string& place);

/// A student before training. A value; copies share nothing that changes.
struct QatStudent {
  Model base;           ///< the float model, each weighted node with a bias of its own, corrected
  Plan plan;            ///< formats, zero points and first step sizes
  TrainingGraph graph;  ///< its `model` is what trains

  /// Constants of the graph that train beside its weights: TrainOptions::trainable must name them.
  /// They take no weight decay.
  std::vector<std::string> step_names() const;
};

/// `model`, `plan` and `means` as for apply_plan. Weights start as they are, step sizes as
/// apply_plan would choose them, so that the student starts as the post-training quantized model.
/// Raises what apply_plan raises, and kUsage for a plan in another form than qdq.
QatStudent prepare_qat(const Model& model, const Plan& plan, const ChannelMeans& means = {});

struct QuantizedStudent {
  AppliedPlan applied;
  /// The student's, with the ranges that the trained step sizes give.
  Plan plan;
};

/// Rounds a trained student: `trained` is graph.model after training, its constants found by name.
/// Weights become integer codes, biases int32 in steps of input scale times weight scale, as
/// apply_plan writes them. The arithmetic is that of the training graph but for the order of
/// float sums, which moves a value by one step where it lies between two; values computed from it
/// may then be more steps apart. Raises kInternal when a step size is missing.
QuantizedStudent finish_qat(const QatStudent& student, const Model& trained);

}  // namespace limbeck
