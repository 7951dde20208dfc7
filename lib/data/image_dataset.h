// Images from any source, decoded and prepared when they are read. Internal to lib/data.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "lib/data/base_dataset.h"
#include "lib/data/image_list.h"
#include "lib/data/prepare_image.h"

namespace limbeck {

class ImageDataset : public BaseDataset {
 public:
  /// `images` has parts.size names.
  ImageDataset(DatasetParts parts, ImageList images, ImagePreparation preparation)
      : BaseDataset(std::move(parts)),
        images_(std::move(images)),
        preparation_(std::move(preparation)) {}

 protected:
  std::vector<Tensor> read_inputs(std::span<const int64_t> indices) const override;

 private:
  std::string sample_place(int64_t index) const;
  Image prepared(int64_t index) const;
  void check_same_size(const Image& first, const Image& image, int64_t index) const;

  ImageList images_;
  ImagePreparation preparation_;
};

}  // namespace limbeck
