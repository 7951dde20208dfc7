#include "lib/data/image_dataset.h"

#include "lib/base/error.h"

namespace limbeck {
namespace {

std::string size_text(const Image& image) {
  return std::to_string(image.height) + " by " + std::to_string(image.width);
}

}  // namespace

std::string ImageDataset::sample_place(int64_t index) const {
  return place() + ", sample " + std::to_string(index) + " '" +
         images_.names.at(static_cast<size_t>(index)) + "'";
}

Image ImageDataset::prepared(int64_t index) const {
  const std::string sample = sample_place(index);
  const std::string bytes = images_.read(static_cast<size_t>(index));
  return preparation_.pixels(decode_image(bytes, sample), sample);
}

void ImageDataset::check_same_size(const Image& first, const Image& image, int64_t index) const {
  if (image.width == first.width && image.height == first.height) return;
  throw SamplesDiffer(
      {Category::kData, sample_place(index),
       "all images of a batch must have the same size, " + size_text(first) + " (height by width)",
       size_text(image), "add 'resize' and 'crop' to the description"});
}

std::vector<Tensor> ImageDataset::read_inputs(std::span<const int64_t> indices) const {
  const Image first = prepared(indices.front());
  Dims dims = preparation_.dims(first);
  const auto row = static_cast<size_t>(dims[0] * dims[1] * dims[2]);
  dims.insert(dims.begin(), static_cast<int64_t>(indices.size()));
  Tensor result = Tensor::allocate(DataType::kFloat, dims);
  float* target = result.mutable_as<float>().data();
  preparation_.normalise(first, target);
  for (const int64_t index : indices.subspan(1)) {
    target += row;
    const Image image = prepared(index);
    check_same_size(first, image, index);
    preparation_.normalise(image, target);
  }
  return {result};
}

}  // namespace limbeck
