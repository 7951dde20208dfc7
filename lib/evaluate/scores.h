// Class scores: what one row of a classifier's output says. Internal to lib/evaluate.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "lib/model/tensor.h"

namespace limbeck {

enum class ScoreKind { kLogits = 0, kProbabilities = 1 };

/// Index of the first float output of shape [rows, k], k > 1,.
std::optional<size_t> find_scores(std::span<const Tensor> outputs, int64_t rows);

/// A folder's place in the alphabet is its class only where every class has a folder: raises kData
/// unless `folders` (Dataset::numbered_folders()) are none, or as many as the scores of the model.
void check_folders(int64_t folders, int64_t scores);

/// Class of the highest score; the lowest class of several. The row is not empty.
int64_t top_class(std::span<const float> row);

/// Whether fewer than `limit` classes rank before `label`; of equal scores the lower class ranks
/// first.
bool in_top(std::span<const float> row, int64_t label, int64_t limit);

/// Whether the row is non-negative and sums to one. The tolerance of 5 % admits probabilities that
/// went through an 8-bit quantizer.
bool looks_like_probabilities(std::span<const float> row);

/// Natural logarithms of the class probabilities: log-softmax of logits, or the logarithm of
/// probabilities scaled to sum to one and held at 1e-12 or above, so that a class that a quantizer
/// rounded to zero does not make every mean infinite.
std::vector<double> log_probabilities(std::span<const float> row, ScoreKind kind);

/// KL(reference || model) in nats of two rows of log probabilities of equal length.
double kl_divergence(std::span<const double> reference, std::span<const double> model);

}  // namespace limbeck
