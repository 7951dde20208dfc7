// Random changes of images, so that a student sees more than the data set holds.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "lib/data/dataset.h"
#include "lib/distill/losses/loss.h"

namespace limbeck {

/// Everything is off by default. Applied in this order: crop, flip, brightness, contrast,
/// saturation, cutout, mixup.
struct AugmentationOptions {
  double flip = 0;           ///< chance of a horizontal mirror image, 0 to 1
  int64_t crop_padding = 0;  ///< black pixels added on every side before a crop to the old size
  double brightness = 0;     ///< 0 to 1: pixels times a factor in 1 +- this
  double contrast = 0;       ///< 0 to 1: distance from the image's mean gray times such a factor
  double saturation = 0;     ///< 0 to 1: distance from the pixel's own gray (three channels, RGB)
  /// Side of a square of zeros (the mean colour, once normalised), in pixels; its centre is
  /// anywhere in the image, so a part may lie outside. T. DeVries, G. Taylor, "Improved
  /// Regularization of Convolutional Neural Networks with Cutout", 2017, section 3.
  int64_t cutout = 0;
  /// 0 to 2: alpha of the Beta(alpha, alpha) from which each sample's share is drawn; 0: off.
  /// H. Zhang et al., "mixup: Beyond Empirical Risk Minimization", ICLR 2018, section 2.
  double mixup = 0;
  /// How samples were normalised: pixel = value * deviation + mean, pixels from 0 to 1. One number,
  /// or one for each channel. Not read from recipes: the data set's description says it.
  std::vector<double> mean = {0};
  std::vector<double> deviation = {1};
};

/// Reads {"flip": 0.5, "crop_padding": 4, ...}; raises kUsage. `place` is its JSON pointer.
AugmentationOptions read_augmentation(const nlohmann::json& object, const std::string& place);

/// Whether anything is drawn at all.
bool changes_images(const AugmentationOptions& options);
/// Whether a loss on labels needs blended ones (mixup); all others leave the class as it is.
bool mixes_labels(const AugmentationOptions& options);

/// All that chance decides for a sample: draws are a pure function of these and of the option that
/// they serve, never of order, threads, batch or of other options.
struct AugmentationKey {
  uint64_t seed = 0;
  uint32_t epoch = 0;
  int64_t sample = 0;  ///< index in the data set
};

/// What was drawn for an image.
struct AugmentationDraw {
  bool mirrored = false;
  int64_t down = 0;  ///< rows by which the window moves down, -crop_padding to crop_padding
  int64_t right = 0;
  double brightness = 1;
  double contrast = 1;
  double saturation = 1;
  int64_t hole_row = 0;  ///< centre of the square
  int64_t hole_column = 0;
};
AugmentationDraw draw_augmentation(const AugmentationOptions& options, const AugmentationKey& key,
                                   int64_t height, int64_t width);

/// Changes one image [channels, height, width] in place, all but mixup. Raises kUsage when the
/// number of means or deviations, or saturation, does not fit the channels.
void augment_image(const AugmentationOptions& options, const AugmentationDraw& draw,
                   const Dims& dims, std::span<float> image);

/// Mixup: the image becomes share * image + (1 - share) * partner's, the label likewise.
struct MixDraw {
  int64_t partner = 0;  ///< index in the data set, any sample with the same chance
  double share = 1;     ///< of the sample itself
};
MixDraw draw_mix(const AugmentationOptions& options, const AugmentationKey& key, int64_t samples);
void mix_images(double share, std::span<const float> partner, std::span<float> image);

/// A batch as it is trained on; the labels are empty when the data set has none.
struct AugmentedBatch {
  Batch batch;
  std::vector<Label> labels;
};

/// Reads and augments samples; a mixup partner looks as it does where it is a sample of its own in
/// that epoch. The same bytes for a sample in any batch. Raises kUsage when images are to be
/// changed and the data set's samples are not one float tensor [channels, height, width].
AugmentedBatch read_augmented(const Dataset& dataset, std::span<const int64_t> indices,
                              const AugmentationOptions& options, uint64_t seed, uint32_t epoch);

}  // namespace limbeck
