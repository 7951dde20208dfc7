#include "lib/data/resample.h"

#include <algorithm>
#include <cmath>

namespace limbeck {
namespace {

/// 8 bits of pixel and 2 bits for overshooting filters leave 22 of 32 bits for the fraction.
constexpr int kFractionBits = 32 - 8 - 2;
constexpr int32_t kHalf = 1 << (kFractionBits - 1);

double triangle(double x) { return std::max(0.0, 1.0 - std::abs(x)); }

/// Keys' cubic with a = -0.5.
double cubic(double x) {
  constexpr double kA = -0.5;
  x = std::abs(x);
  if (x < 1.0) return ((kA + 2.0) * x - (kA + 3.0)) * x * x + 1.0;
  if (x < 2.0) return (((x - 5.0) * x + 8.0) * x - 4.0) * kA;
  return 0.0;
}

struct Filter {
  double (*weight)(double);
  double support;
};

/// Consecutive positions on one axis.
struct Interval {
  size_t first = 0;
  size_t count = 0;
};

/// For each target position the first source position and the weights that start there.
struct Weights {
  size_t taps = 0;
  std::vector<size_t> first;
  std::vector<size_t> count;
  /// taps for each target position.
  std::vector<int32_t> values;

  /// All source positions that have a weight.
  Interval sources() const { return {first.front(), first.back() + count.back() - first.front()}; }
};

int32_t to_fixed(double weight) {
  const double scaled = weight * (1 << kFractionBits);
  return static_cast<int32_t>(weight < 0 ? scaled - 0.5 : scaled + 0.5);
}

/// The weights of the target positions in `wanted`, of `target` in all.
Weights make_weights(size_t source, size_t target, const Interval& wanted, const Filter& filter) {
  const double ratio = static_cast<double>(source) / static_cast<double>(target);
  const double widening = std::max(ratio, 1.0);
  const double support = filter.support * widening;
  Weights weights;
  weights.taps = static_cast<size_t>(std::ceil(support)) * 2 + 1;
  weights.values.resize(wanted.count * weights.taps);
  std::vector<double> exact(weights.taps);
  for (size_t i = 0; i < wanted.count; ++i) {
    const double centre = (static_cast<double>(wanted.first + i) + 0.5) * ratio;
    const auto first = static_cast<size_t>(std::max(0.0, centre - support + 0.5));
    const size_t last = std::min(source, static_cast<size_t>(centre + support + 0.5));
    double sum = 0;
    for (size_t k = 0; k < last - first; ++k) {
      exact[k] = filter.weight((static_cast<double>(first + k) - centre + 0.5) * (1.0 / widening));
      sum += exact[k];
    }
    for (size_t k = 0; k < last - first; ++k) {
      weights.values[i * weights.taps + k] = to_fixed(sum == 0 ? exact[k] : exact[k] / sum);
    }
    weights.first.push_back(first);
    weights.count.push_back(last - first);
  }
  return weights;
}

uint8_t to_pixel(int32_t sum) {
  return static_cast<uint8_t>(std::clamp(sum >> kFractionBits, 0, 255));
}

template <size_t kChannels>
void resample_row(const uint8_t* source, const Weights& weights, uint8_t* target) {
  for (size_t x = 0; x < weights.first.size(); ++x) {
    int32_t sums[kChannels];
    std::fill(sums, sums + kChannels, kHalf);
    const uint8_t* pixel = source + weights.first[x] * kChannels;
    const int32_t* values = weights.values.data() + x * weights.taps;
    for (size_t k = 0; k < weights.count[x]; ++k, pixel += kChannels) {
      for (size_t c = 0; c < kChannels; ++c) sums[c] += pixel[c] * values[k];
    }
    for (size_t c = 0; c < kChannels; ++c) target[x * kChannels + c] = to_pixel(sums[c]);
  }
}

/// The given rows, resampled in width.
Image resample_columns(const Image& image, const Interval& rows, const Weights& weights,
                       const std::string& place) {
  Image result = allocate_image(weights.first.size(), rows.count, image.channels, place);
  for (size_t y = 0; y < rows.count; ++y) {
    const uint8_t* source = image.pixels.data() + (rows.first + y) * image.stride();
    uint8_t* target = result.pixels.data() + y * result.stride();
    if (image.channels == 3) {
      resample_row<3>(source, weights, target);
    } else {
      resample_row<1>(source, weights, target);
    }
  }
  return result;
}

/// `image` holds the source rows from `first_row` on.
Image resample_rows(const Image& image, size_t first_row, const Weights& weights,
                    const std::string& place) {
  Image result = allocate_image(image.width, weights.first.size(), image.channels, place);
  const size_t stride = image.stride();
  std::vector<int32_t> sums(stride);
  for (size_t y = 0; y < result.height; ++y) {
    std::fill(sums.begin(), sums.end(), kHalf);
    for (size_t k = 0; k < weights.count[y]; ++k) {
      const int32_t weight = weights.values[y * weights.taps + k];
      const uint8_t* source = image.pixels.data() + (weights.first[y] - first_row + k) * stride;
      for (size_t i = 0; i < stride; ++i) sums[i] += source[i] * weight;
    }
    std::transform(sums.begin(), sums.end(), result.pixels.data() + y * stride, to_pixel);
  }
  return result;
}

Image cut(const Image& image, const Region& region, const std::string& place) {
  Image result = allocate_image(region.width, region.height, image.channels, place);
  for (size_t y = 0; y < region.height; ++y) {
    const uint8_t* row =
        image.pixels.data() + (region.top + y) * image.stride() + region.left * image.channels;
    std::copy(row, row + result.stride(), result.pixels.data() + y * result.stride());
  }
  return result;
}

/// Source position of each target position. The position is accumulated, not multiplied: the
/// rounding of the sum is part of what is reproduced.
std::vector<size_t> nearest_positions(size_t source, size_t target) {
  const double ratio = static_cast<double>(source) / static_cast<double>(target);
  double position = ratio * 0.5;
  std::vector<size_t> positions;
  for (size_t i = 0; i < target; ++i, position += ratio) {
    positions.push_back(std::min(static_cast<size_t>(position), source - 1));
  }
  return positions;
}

Image pick_nearest(const Image& image, size_t width, size_t height, const Region& region,
                   const std::string& place) {
  Image result = allocate_image(region.width, region.height, image.channels, place);
  const auto columns = nearest_positions(image.width, width);
  const auto rows = nearest_positions(image.height, height);
  uint8_t* target = result.pixels.data();
  for (size_t y = 0; y < region.height; ++y) {
    const uint8_t* row = image.pixels.data() + rows[region.top + y] * image.stride();
    for (size_t x = 0; x < region.width; ++x) {
      const uint8_t* pixel = row + columns[region.left + x] * image.channels;
      target = std::copy(pixel, pixel + image.channels, target);
    }
  }
  return result;
}

}  // namespace

Image resize_image(const Image& image, size_t width, size_t height, Interpolation interpolation,
                   const std::string& place) {
  return resize_image(image, width, height, {0, 0, width, height}, interpolation, place);
}

Image resize_image(const Image& image, size_t width, size_t height, const Region& region,
                   Interpolation interpolation, const std::string& place) {
  check_image_size(width, height, place);
  const bool same_width = image.width == width;
  const bool same_height = image.height == height;
  if (same_width && same_height) return cut(image, region, place);
  if (interpolation == Interpolation::kNearest)
    return pick_nearest(image, width, height, region, place);
  const Filter filter =
      interpolation == Interpolation::kBilinear ? Filter{triangle, 1.0} : Filter{cubic, 2.0};
  Interval source_rows = {region.top, region.height};
  Weights vertical;
  if (!same_height) {
    vertical = make_weights(image.height, height, source_rows, filter);
    source_rows = vertical.sources();
  }
  const Image narrow =
      same_width
          ? cut(image, {region.left, source_rows.first, region.width, source_rows.count}, place)
          : resample_columns(image, source_rows,
                             make_weights(image.width, width, {region.left, region.width}, filter),
                             place);
  return same_height ? narrow : resample_rows(narrow, source_rows.first, vertical, place);
}

}  // namespace limbeck
