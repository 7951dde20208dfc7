// From decoded pixels to the floats a model takes: colour, resize, crop, layout, normalisation.
// Internal to lib/data.
#pragma once

#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "lib/data/image.h"
#include "lib/data/resample.h"
#include "lib/model/tensor.h"

namespace limbeck {

/// Immutable, so safe to share between threads.
class ImagePreparation {
 public:
  /// From a validated description of kind images or csv. Raises kData when mean or std do not have
  /// one value a channel.
  ImagePreparation(const nlohmann::json& description, const std::string& place);

  /// Colour conversion, resize and centre crop. Raises kData when the image is smaller than the
  /// crop.
  Image pixels(Image image, const std::string& place) const;
  /// Dimensions of one sample whose pixels are `image`.
  Dims dims(const Image& image) const;
  /// Writes (pixel / 255 - mean) / std in the chosen layout; `target` holds the product of dims().
  void normalise(const Image& image, float* target) const;

 private:
  enum class Color { kRgb, kBgr, kGray };
  struct Size {
    size_t height = 0;
    size_t width = 0;
  };
  Size resized(const Image& image) const;
  Region cropped(const Size& size, const std::string& place) const;
  template <size_t kChannels>
  void write_values(const Image& image, float* target) const;
  void read_resize(const nlohmann::json& resize);
  void read_scaling(const nlohmann::json& description, const std::string& place);

  Color color_ = Color::kRgb;
  bool channels_last_ = false;
  Interpolation interpolation_ = Interpolation::kBilinear;
  size_t short_side_ = 0;
  std::optional<Size> size_;
  std::optional<Size> crop_;
  /// The float of each byte, one table for each channel of the result.
  std::vector<std::array<float, 256>> tables_;
};

}  // namespace limbeck
