// What chance decides.
#include <algorithm>
#include <cmath>

#include "lib/base/philox.h"
#include "lib/distill/augmentation.h"
#include "lib/distill/random_purpose.h"

namespace limbeck {
namespace {

RandomStream stream(const AugmentationKey& key, RandomPurpose purpose) {
  return {key.seed, static_cast<uint32_t>(purpose), key.epoch, static_cast<uint64_t>(key.sample)};
}

double draw_factor(const AugmentationKey& key, RandomPurpose purpose, double strength) {
  return stream(key, purpose).uniform(1 - strength, 1 + strength);
}

/// From Beta(alpha, alpha) by M. Johnk, 1964: of two uniform numbers, each to the power 1/alpha,
/// with a sum of at most one, the first's part of the sum. In logarithms, for small alpha.
double draw_beta(RandomStream& random, double alpha) {
  while (true) {
    const double first = std::log(1 - random.uniform()) / alpha;
    const double second = std::log(1 - random.uniform()) / alpha;
    if (std::exp(first) + std::exp(second) <= 1) return 1 / (1 + std::exp(second - first));
  }
}

}  // namespace

AugmentationDraw draw_augmentation(const AugmentationOptions& options, const AugmentationKey& key,
                                   int64_t height, int64_t width) {
  AugmentationDraw draw;
  draw.mirrored = stream(key, RandomPurpose::kFlip).uniform() < options.flip;
  RandomStream crop = stream(key, RandomPurpose::kCrop);
  draw.down = crop.below(2 * options.crop_padding + 1) - options.crop_padding;
  draw.right = crop.below(2 * options.crop_padding + 1) - options.crop_padding;
  draw.brightness = draw_factor(key, RandomPurpose::kBrightness, options.brightness);
  draw.contrast = draw_factor(key, RandomPurpose::kContrast, options.contrast);
  draw.saturation = draw_factor(key, RandomPurpose::kSaturation, options.saturation);
  RandomStream hole = stream(key, RandomPurpose::kCutout);
  draw.hole_row = hole.below(height);
  draw.hole_column = hole.below(width);
  return draw;
}

MixDraw draw_mix(const AugmentationOptions& options, const AugmentationKey& key, int64_t samples) {
  if (options.mixup == 0) return {key.sample, 1};
  RandomStream random = stream(key, RandomPurpose::kMixup);
  MixDraw mix;
  mix.partner = random.below(samples);
  mix.share = draw_beta(random, options.mixup);
  return mix;
}

}  // namespace limbeck
