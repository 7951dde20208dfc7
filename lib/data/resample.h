// Image resizing that reproduces Pillow to the bit. Internal to lib/data.
#pragma once

#include "lib/data/image.h"

namespace limbeck {

enum class Interpolation { kNearest, kBilinear, kBicubic };

/// A rectangle of pixels.
struct Region {
  size_t left = 0;
  size_t top = 0;
  size_t width = 0;
  size_t height = 0;
};

/// Antialiased separable resampling to `width` by `height`: the filter widens with the reduction,
/// weights are fixed-point with 22 fractional bits, the horizontal pass comes first and is rounded
/// to 8 bits. A dimension that keeps its size keeps its values. Nearest picks single pixels.
Image resize_image(const Image& image, size_t width, size_t height, Interpolation interpolation,
                   const std::string& place);
/// The `region` of that result, the same bytes; the rest is not computed. `region` lies inside of
/// `width` by `height`. Raises kData when those exceed the limit of image.h.
Image resize_image(const Image& image, size_t width, size_t height, const Region& region,
                   Interpolation interpolation, const std::string& place);

}  // namespace limbeck
