#include "lib/data/prepare_image.h"

#include <algorithm>
#include <map>
#include <utility>

#include "lib/base/error.h"

namespace limbeck {
namespace {

/// ITU-R 601 luma in 16-bit fixed point.
Image to_gray(const Image& image, const std::string& place) {
  Image gray = allocate_image(image.width, image.height, 1, place);
  const uint8_t* pixel = image.pixels.data();
  for (uint8_t& value : gray.pixels) {
    const uint32_t sum = pixel[0] * 19595U + pixel[1] * 38470U + pixel[2] * 7471U + 0x8000U;
    value = static_cast<uint8_t>(sum >> 16U);
    pixel += 3;
  }
  return gray;
}

/// Half of the margin, rounded down.
size_t crop_offset(size_t length, size_t crop) { return (length - crop) / 2; }

std::string size_text(size_t height, size_t width) {
  return std::to_string(height) + " by " + std::to_string(width);
}

std::vector<float> channel_values(const nlohmann::json& description, const char* field,
                                  size_t channels, float fallback, const std::string& place) {
  if (!description.contains(field)) return std::vector<float>(channels, fallback);
  auto values = description.at(field).get<std::vector<float>>();
  if (values.size() != channels) {
    throw_error(Category::kData, place,
                std::string("'") + field + "' must have one value for each channel, " +
                    std::to_string(channels) + " in all",
                std::to_string(values.size()) + " values", "correct the description");
  }
  return values;
}

}  // namespace

ImagePreparation::ImagePreparation(const nlohmann::json& description, const std::string& place) {
  const std::string color = description.value("color", "RGB");
  color_ = color == "GRAY" ? Color::kGray : color == "BGR" ? Color::kBgr : Color::kRgb;
  channels_last_ = description.value("layout", "NCHW") == "NHWC";
  if (description.contains("resize")) read_resize(description.at("resize"));
  if (description.contains("crop")) {
    const auto& crop = description.at("crop");
    crop_ = Size{crop.at(0).get<size_t>(), crop.at(1).get<size_t>()};
  }
  read_scaling(description, place);
}

void ImagePreparation::read_resize(const nlohmann::json& resize) {
  static const std::map<std::string, Interpolation> names = {{"nearest", Interpolation::kNearest},
                                                             {"bilinear", Interpolation::kBilinear},
                                                             {"bicubic", Interpolation::kBicubic}};
  interpolation_ = names.at(resize.value("interpolation", "bilinear"));
  short_side_ = resize.value("short_side", size_t{0});
  if (resize.contains("size")) {
    const auto& size = resize.at("size");
    size_ = Size{size.at(0).get<size_t>(), size.at(1).get<size_t>()};
  }
}

void ImagePreparation::read_scaling(const nlohmann::json& description, const std::string& place) {
  tables_.resize(color_ == Color::kGray ? 1 : 3);
  const auto means = channel_values(description, "mean", tables_.size(), 0.0F, place);
  const auto deviations = channel_values(description, "std", tables_.size(), 1.0F, place);
  for (size_t c = 0; c < tables_.size(); ++c) {
    for (size_t value = 0; value < 256; ++value) {
      tables_[c][value] = (static_cast<float>(value) / 255.0F - means[c]) / deviations[c];
    }
  }
}

ImagePreparation::Size ImagePreparation::resized(const Image& image) const {
  if (size_) return *size_;
  if (short_side_ == 0) return {image.height, image.width};
  if (image.width <= image.height) return {short_side_ * image.height / image.width, short_side_};
  return {short_side_, short_side_ * image.width / image.height};
}

Region ImagePreparation::cropped(const Size& size, const std::string& place) const {
  if (!crop_) return {0, 0, size.width, size.height};
  if (size.height < crop_->height || size.width < crop_->width) {
    throw_error(Category::kData, place,
                "an image must be at least as large as the crop, " +
                    size_text(crop_->height, crop_->width) + " (height by width)",
                size_text(size.height, size.width), "add 'resize', or choose a smaller 'crop'");
  }
  return {crop_offset(size.width, crop_->width), crop_offset(size.height, crop_->height),
          crop_->width, crop_->height};
}

Image ImagePreparation::pixels(Image image, const std::string& place) const {
  if (color_ == Color::kGray) image = to_gray(image, place);
  const Size size = resized(image);
  const Region region = cropped(size, place);
  const bool whole = region.width == image.width && region.height == image.height;
  if (whole && size.width == image.width && size.height == image.height) return image;
  return resize_image(image, size.width, size.height, region, interpolation_, place);
}

Dims ImagePreparation::dims(const Image& image) const {
  const auto height = static_cast<int64_t>(image.height);
  const auto width = static_cast<int64_t>(image.width);
  const auto channels = static_cast<int64_t>(image.channels);
  return channels_last_ ? Dims{height, width, channels} : Dims{channels, height, width};
}

template <size_t kChannels>
void ImagePreparation::write_values(const Image& image, float* target) const {
  const size_t count = image.width * image.height;
  const size_t step = channels_last_ ? kChannels : 1;
  std::array<float*, kChannels> planes;
  std::array<const float*, kChannels> tables;
  for (size_t c = 0; c < kChannels; ++c) {
    // Channel c of the pixel becomes channel `to` of the sample.
    const size_t to = color_ == Color::kBgr ? kChannels - 1 - c : c;
    planes[c] = target + (channels_last_ ? to : to * count);
    tables[c] = tables_[to].data();
  }
  const uint8_t* pixel = image.pixels.data();
  for (size_t i = 0; i < count; ++i, pixel += kChannels) {
    for (size_t c = 0; c < kChannels; ++c) planes[c][i * step] = tables[c][pixel[c]];
  }
}

void ImagePreparation::normalise(const Image& image, float* target) const {
  if (image.channels == 1) {
    write_values<1>(image, target);
  } else {
    write_values<3>(image, target);
  }
}

}  // namespace limbeck
