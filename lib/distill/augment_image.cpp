// The arithmetic on pixels.
#include <algorithm>

#include "lib/base/error.h"
#include "lib/distill/augmentation.h"

namespace limbeck {
namespace {

// Luma of ITU-R BT.601.
constexpr float kRed = 0.299F;
constexpr float kGreen = 0.587F;
constexpr float kBlue = 0.114F;

/// An image as planes, with the normalisation of each.
struct Planes {
  int64_t channels = 0;
  int64_t height = 0;
  int64_t width = 0;
  std::span<float> values;
  std::vector<float> mean;
  std::vector<float> deviation;

  size_t positions() const { return static_cast<size_t>(height * width); }
  std::span<float> plane(size_t c) const { return values.subspan(c * positions(), positions()); }
};

std::vector<float> spread(const std::vector<double>& numbers, int64_t channels,
                          const std::string& what) {
  const auto count = static_cast<size_t>(channels);
  if (numbers.size() == count) return {numbers.begin(), numbers.end()};
  if (numbers.size() == 1) return std::vector<float>(count, static_cast<float>(numbers[0]));
  throw_error(Category::kUsage, "augmentation",
              "there must be one " + what + ", or one for each of the " + std::to_string(channels) +
                  " channels",
              std::to_string(numbers.size()), "give as many as the images have channels");
}

Planes planes_of(const AugmentationOptions& options, const Dims& dims, std::span<float> image) {
  return {dims[0],
          dims[1],
          dims[2],
          image,
          spread(options.mean, dims[0], "mean"),
          spread(options.deviation, dims[0], "deviation")};
}

void crop_and_flip(const Planes& planes, const AugmentationDraw& draw) {
  if (!draw.mirrored && draw.down == 0 && draw.right == 0) return;
  const std::vector<float> before(planes.values.begin(), planes.values.end());
  size_t at = 0;
  for (size_t c = 0; c < planes.mean.size(); ++c) {
    const float black = -planes.mean[c] / planes.deviation[c];
    const float* plane = before.data() + c * planes.positions();
    for (int64_t y = 0; y < planes.height; ++y) {
      for (int64_t x = 0; x < planes.width; ++x, ++at) {
        const int64_t row = y + draw.down;
        const int64_t column = (draw.mirrored ? planes.width - 1 - x : x) + draw.right;
        const bool inside = row >= 0 && row < planes.height && column >= 0 && column < planes.width;
        planes.values[at] = inside ? plane[row * planes.width + column] : black;
      }
    }
  }
}

/// value * deviation + mean for all values, or back.
void to_pixels(const Planes& planes) {
  for (size_t c = 0; c < planes.mean.size(); ++c) {
    for (float& value : planes.plane(c)) value = value * planes.deviation[c] + planes.mean[c];
  }
}
void from_pixels(const Planes& planes) {
  for (size_t c = 0; c < planes.mean.size(); ++c) {
    for (float& value : planes.plane(c)) value = (value - planes.mean[c]) / planes.deviation[c];
  }
}

float gray_at(const Planes& planes, size_t position) {
  if (planes.channels != 3) return planes.values[position];
  const size_t step = planes.positions();
  return kRed * planes.values[position] + kGreen * planes.values[step + position] +
         kBlue * planes.values[2 * step + position];
}

float mean_gray(const Planes& planes) {
  double sum = 0;
  for (size_t i = 0; i < planes.positions(); ++i) sum += gray_at(planes, i);
  return static_cast<float>(sum / static_cast<double>(planes.positions()));
}

/// Moves a pixel away from or towards `centre`, within what a pixel can be.
float blend(float pixel, float centre, float factor) {
  return std::clamp(centre + factor * (pixel - centre), 0.0F, 1.0F);
}

void blend_all(const Planes& planes, float centre, double factor) {
  if (factor == 1) return;
  for (float& pixel : planes.values) pixel = blend(pixel, centre, static_cast<float>(factor));
}

void saturate(const Planes& planes, double factor) {
  if (factor == 1) return;
  for (size_t i = 0; i < planes.positions(); ++i) {
    const float gray = gray_at(planes, i);
    for (size_t c = 0; c < planes.mean.size(); ++c) {
      float& pixel = planes.plane(c)[i];
      pixel = blend(pixel, gray, static_cast<float>(factor));
    }
  }
}

void change_colour(const Planes& planes, const AugmentationDraw& draw) {
  if (draw.brightness == 1 && draw.contrast == 1 && draw.saturation == 1) return;
  if (draw.saturation != 1 && planes.channels != 3) {
    throw_error(Category::kUsage, "augmentation/saturation", "images must have three channels",
                std::to_string(planes.channels), "leave saturation out");
  }
  to_pixels(planes);
  blend_all(planes, 0, draw.brightness);
  blend_all(planes, mean_gray(planes), draw.contrast);
  saturate(planes, draw.saturation);
  from_pixels(planes);
}

void cut_out(const Planes& planes, int64_t side, const AugmentationDraw& draw) {
  const int64_t top = draw.hole_row - side / 2;
  const int64_t left = draw.hole_column - side / 2;
  for (size_t c = 0; c < planes.mean.size(); ++c) {
    const std::span<float> plane = planes.plane(c);
    for (int64_t y = std::max<int64_t>(top, 0); y < std::min(top + side, planes.height); ++y) {
      for (int64_t x = std::max<int64_t>(left, 0); x < std::min(left + side, planes.width); ++x) {
        plane[static_cast<size_t>(y * planes.width + x)] = 0;
      }
    }
  }
}

}  // namespace

void augment_image(const AugmentationOptions& options, const AugmentationDraw& draw,
                   const Dims& dims, std::span<float> image) {
  const Planes planes = planes_of(options, dims, image);
  crop_and_flip(planes, draw);
  change_colour(planes, draw);
  cut_out(planes, options.cutout, draw);
}

void mix_images(double share, std::span<const float> partner, std::span<float> image) {
  const auto own = static_cast<float>(share);
  const auto other = static_cast<float>(1 - share);
  for (size_t i = 0; i < image.size(); ++i) image[i] = own * image[i] + other * partner[i];
}

}  // namespace limbeck
