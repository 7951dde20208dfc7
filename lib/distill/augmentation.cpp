#include "lib/distill/augmentation.h"

#include <utility>

#include "lib/base/error.h"
#include "lib/base/option_reader.h"

namespace limbeck {
namespace {

constexpr double kLargestPixels = 1024;

void check_images(const Batch& batch) {
  const bool images = batch.inputs.size() == 1 && batch.inputs[0].rank() == 4 &&
                      batch.inputs[0].type() == DataType::kFloat && batch.inputs[0].count() > 0;
  if (images) return;
  throw_error(Category::kUsage, "augmentation",
              "samples must be one float image of channels x height x width",
              batch.inputs.size() == 1 ? dims_text(batch.inputs[0].dims())
                                       : std::to_string(batch.inputs.size()) + " inputs",
              "train without augmentation");
}

/// Augments every image of a batch that the data set has just made.
void augment_batch(Batch& batch, const AugmentationOptions& options, uint64_t seed,
                   uint32_t epoch) {
  check_images(batch);
  // The data set may keep what it handed out.
  batch.inputs[0] = batch.inputs[0].clone();
  const Dims& dims = batch.inputs[0].dims();
  const Dims image_dims(dims.begin() + 1, dims.end());
  const std::span<float> values = batch.inputs[0].mutable_as<float>();
  const size_t size = values.size() / batch.indices.size();
  for (size_t i = 0; i < batch.indices.size(); ++i) {
    const AugmentationKey key = {seed, epoch, batch.indices[i]};
    const AugmentationDraw draw = draw_augmentation(options, key, image_dims[1], image_dims[2]);
    augment_image(options, draw, image_dims, values.subspan(i * size, size));
  }
}

/// Mixes each sample with its partner, which is read and augmented as a sample of its own.
void mix_batch(AugmentedBatch& mixed, const Dataset& dataset, const AugmentationOptions& options,
               uint64_t seed, uint32_t epoch) {
  std::vector<MixDraw> draws;
  std::vector<int64_t> partners;
  for (const int64_t index : mixed.batch.indices) {
    draws.push_back(draw_mix(options, {seed, epoch, index}, dataset.size()));
    partners.push_back(draws.back().partner);
  }
  Batch others = dataset.read(partners);
  augment_batch(others, options, seed, epoch);
  const std::span<const float> from = others.inputs[0].as<float>();
  const std::span<float> to = mixed.batch.inputs[0].mutable_as<float>();
  if (from.size() != to.size()) {
    throw_error(Category::kUsage, "augmentation/mixup", "all images must have the same size",
                dims_text(others.inputs[0].dims()), "resize or crop them in the description");
  }
  const size_t size = to.size() / draws.size();
  for (size_t i = 0; i < draws.size(); ++i) {
    mix_images(draws[i].share, from.subspan(i * size, size), to.subspan(i * size, size));
    if (mixed.labels.empty()) continue;
    mixed.labels[i].other = others.labels[i];
    mixed.labels[i].share = draws[i].share;
  }
}

}  // namespace

AugmentationOptions read_augmentation(const nlohmann::json& object, const std::string& place) {
  OptionReader reader(object, place);
  AugmentationOptions options;
  options.flip = reader.number("flip", options.flip, {0, 1});
  options.crop_padding = reader.integer("crop_padding", options.crop_padding, {0, kLargestPixels});
  options.brightness = reader.number("brightness", options.brightness, {0, 1});
  options.contrast = reader.number("contrast", options.contrast, {0, 1});
  options.saturation = reader.number("saturation", options.saturation, {0, 1});
  options.cutout = reader.integer("cutout", options.cutout, {0, kLargestPixels});
  options.mixup = reader.number("mixup", options.mixup, {0, 2});
  reader.finish();
  return options;
}

bool changes_images(const AugmentationOptions& options) {
  return options.flip > 0 || options.crop_padding > 0 || options.brightness > 0 ||
         options.contrast > 0 || options.saturation > 0 || options.cutout > 0 || options.mixup > 0;
}

bool mixes_labels(const AugmentationOptions& options) { return options.mixup > 0; }

AugmentedBatch read_augmented(const Dataset& dataset, std::span<const int64_t> indices,
                              const AugmentationOptions& options, uint64_t seed, uint32_t epoch) {
  AugmentedBatch result;
  result.batch = dataset.read(indices);
  for (const int64_t label : result.batch.labels) result.labels.push_back({label, label, 1});
  if (!changes_images(options) || indices.empty()) return result;
  augment_batch(result.batch, options, seed, epoch);
  if (mixes_labels(options)) mix_batch(result, dataset, options, seed, epoch);
  return result;
}

}  // namespace limbeck
