// What a loss reads and gives: one shard of a batch, rows = samples.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "lib/model/tensor.h"

namespace limbeck {

/// The class of a sample; mixup blends two: share * one_hot(label) + (1 - share) * one_hot(other).
struct Label {
  int64_t label = 0;
  int64_t other = 0;  ///< read when share < 1
  double share = 1;   ///< in [0, 1]
};

/// Tensors are float or double; the first dimension is the sample; there is at least one.
struct LossInput {
  Tensor student;                 ///< logits [n, classes], or the student's tap
  Tensor teacher;                 ///< the same of the teacher; empty when the loss reads none
  std::span<const Label> labels;  ///< n of them when the loss reads labels
  std::vector<Tensor> weights;    ///< the loss's own trained weights (LossTerm::initial_weights)
  /// Samples of the whole batch, over all shards. Losses and gradients are divided by it, so that
  /// those of the shards add up to the batch's mean.
  int64_t batch = 1;
};

/// Gradients have the dimensions and element type of what they belong to. All sums are made in
/// double, in row order: the same bits on any number of threads.
struct LossResult {
  double loss = 0;
  Tensor student;
  std::vector<Tensor> weights;
};

enum class LossSource {
  kLogits,  ///< what logits_name() names
  kTap,     ///< a pair of intermediate tensors
};

/// A loss with its options bound. The functions are pure and thread-safe.
struct LossTerm {
  bool needs_labels = false;
  bool needs_teacher = true;
  bool takes_softmax = false;  ///< of the logits, which must not be probabilities then
  int64_t least_samples = 1;   ///< of a shard, without which there is nothing to compare
  LossSource source = LossSource::kLogits;
  std::string student_tap;  ///< tensor names, with kTap
  std::string teacher_tap;
  /// Raises kUsage for shapes that do not fit each other and kData for labels out of range.
  std::function<LossResult(const LossInput&)> evaluate;
  /// Weights that train along with the student, from the dimensions of the taps; null: none.
  std::function<std::vector<Tensor>(const Dims& student, const Dims& teacher, uint64_t seed)>
      initial_weights;
};

}  // namespace limbeck
