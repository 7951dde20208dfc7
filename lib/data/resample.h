// Image resizing that reproduces Pillow to the bit. Internal to lib/data.
#pragma once

#include "lib/data/image.h"

namespace limbeck {

enum class Interpolation { kNearest, kBilinear, kBicubic };

/// Antialiased separable resampling: the filter widens with the reduction, weights are fixed-point
/// with 22 fractional bits, the horizontal pass comes first and is rounded to 8 bits. A dimension
/// that keeps its size keeps its values. Nearest picks single pixels.
Image resize_image(const Image& image, size_t width, size_t height, Interpolation interpolation,
                   const std::string& place);

}  // namespace limbeck
