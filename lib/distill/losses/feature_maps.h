// Feature maps of taps, and average pooling to a common size. Internal to lib/distill/losses.
#pragma once

#include <string>
#include <vector>

#include "lib/distill/losses/loss.h"

namespace limbeck {

/// Values [samples, channels, height, width] in double.
struct FeatureMaps {
  size_t samples = 0;
  size_t channels = 0;
  size_t height = 1;
  size_t width = 1;
  std::vector<double> values;

  size_t positions() const { return height * width; }
  const double* plane(size_t sample, size_t channel) const {
    return values.data() + (sample * channels + channel) * positions();
  }
  double* plane(size_t sample, size_t channel) {
    return values.data() + (sample * channels + channel) * positions();
  }
};

/// A tap [n, c], [n, c, w] or [n, c, h, w]: missing sizes are one. Raises kUsage for other ranks
/// and for empty tensors.
FeatureMaps read_maps(const Tensor& tensor, const std::string& loss);
FeatureMaps zero_maps(size_t samples, size_t channels, size_t height, size_t width);

/// Average pooling to a size of at most the maps' own: cell i of h covers the rows from
/// floor(i * height / h) to ceil((i + 1) * height / h), columns alike, as PyTorch's
/// adaptive_avg_pool2d. Copies where the size is the same.
FeatureMaps pool_maps(const FeatureMaps& maps, size_t height, size_t width);
/// The gradient of `like` from that of its pooled maps: spreads each value evenly over its cell.
FeatureMaps unpool_gradient(const FeatureMaps& gradient, const FeatureMaps& like);

/// Both, each pooled to the smaller height and width. Raises kUsage when the samples differ.
struct MapPair {
  FeatureMaps student;
  FeatureMaps teacher;
};
MapPair pool_to_common(const FeatureMaps& student, const FeatureMaps& teacher,
                       const std::string& loss);

}  // namespace limbeck
