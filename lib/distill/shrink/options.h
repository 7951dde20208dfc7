// How small a student is to be, and what may be taken away from its teacher.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "lib/model/tensor.h"

namespace limbeck {

/// Where the importance of a channel comes from.
enum class ImportanceSource {
  kGradients,  ///< of the teacher's own predictions, on data
  kWeights,    ///< the energy of weights alone, without data
};

struct ShrinkOptions {
  /// Exactly one of the two: the share that stays, above 0 and below 1.
  std::optional<double> macs;  ///< of the multiply-accumulates of one sample
  std::optional<double> size;  ///< of the bytes of all weights
  /// Residual blocks to remove. Absent: none without data; with data those that matter little
  /// (lib/distill/shrink/blocks.h).
  std::optional<int64_t> blocks;
  /// The smallest part of every group of channels that stays: this share of them, and this many.
  double min_share = 0.1;
  int64_t min_channels = 2;
  /// Widths stay multiples of this, but for groups that are narrower.
  int64_t multiple = 1;
  ImportanceSource importance = ImportanceSource::kGradients;
  int64_t samples = 512;  ///< of the data, for importance
  /// With data: put BatchNormalization back behind convolutions where none is left, because folded
  /// networks hardly train.
  bool batch_norm = true;
  /// The same network with start values instead of the teacher's weights (reinitialise.h): what
  /// inheriting them is to be compared with.
  bool random_weights = false;
  /// Dimensions of one sample by the model's input, without the batch; "" names the only input.
  /// For MACs where the model leaves dimensions open.
  std::map<std::string, Dims> sample_dims;
};

/// Reads "macs=0.5", "size=0.25,blocks=2,min_channels=8". Keys: macs, size, blocks (true: as if
/// absent, false: 0, or a number), min_share, min_channels, multiple, importance (gradients or
/// weights), samples, batch_norm (true or false), weights (inherited or random). Raises kUsage with
/// `place` for unknown keys, bad values, and unless exactly one of macs and size is given.
ShrinkOptions parse_shrink(const std::string& text, const std::string& place);

/// Raises kUsage for options out of range.
void check_shrink_options(const ShrinkOptions& options, const std::string& place);

}  // namespace limbeck
