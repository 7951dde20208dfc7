#include "lib/distill/losses/feature_maps.h"

#include <algorithm>

#include "lib/base/error.h"
#include "lib/distill/losses/rows.h"

namespace limbeck {
namespace {

size_t cell_begin(size_t cell, size_t size, size_t cells) { return cell * size / cells; }
size_t cell_end(size_t cell, size_t size, size_t cells) {
  return ((cell + 1) * size + cells - 1) / cells;
}

/// Calls visit(position in the pooled plane, position in the full plane, 1 / elements of the cell).
template <typename Visit>
void visit_cells(size_t height, size_t width, size_t pooled_height, size_t pooled_width,
                 Visit visit) {
  for (size_t i = 0; i < pooled_height; ++i) {
    const size_t top = cell_begin(i, height, pooled_height);
    const size_t bottom = cell_end(i, height, pooled_height);
    for (size_t j = 0; j < pooled_width; ++j) {
      const size_t left = cell_begin(j, width, pooled_width);
      const size_t right = cell_end(j, width, pooled_width);
      const double share = 1 / static_cast<double>((bottom - top) * (right - left));
      for (size_t y = top; y < bottom; ++y) {
        for (size_t x = left; x < right; ++x) visit(i * pooled_width + j, y * width + x, share);
      }
    }
  }
}

}  // namespace

FeatureMaps read_maps(const Tensor& tensor, const std::string& loss) {
  if (tensor.rank() < 2 || tensor.rank() > 4 || tensor.count() == 0) {
    throw_error(Category::kUsage, "loss '" + loss + "'",
                "a tap must be samples x channels, with up to two further dimensions",
                dims_text(tensor.dims()), "choose another tensor, for example a convolution's");
  }
  const Dims& dims = tensor.dims();
  FeatureMaps maps;
  maps.samples = static_cast<size_t>(dims[0]);
  maps.channels = static_cast<size_t>(dims[1]);
  if (dims.size() == 4) maps.height = static_cast<size_t>(dims[2]);
  if (dims.size() >= 3) maps.width = static_cast<size_t>(dims.back());
  maps.values = read_values(tensor);
  return maps;
}

FeatureMaps zero_maps(size_t samples, size_t channels, size_t height, size_t width) {
  return {samples, channels, height, width,
          std::vector<double>(samples * channels * height * width, 0.0)};
}

FeatureMaps pool_maps(const FeatureMaps& maps, size_t height, size_t width) {
  if (height == maps.height && width == maps.width) return maps;
  FeatureMaps pooled = zero_maps(maps.samples, maps.channels, height, width);
  for (size_t n = 0; n < maps.samples; ++n) {
    for (size_t c = 0; c < maps.channels; ++c) {
      const double* from = maps.plane(n, c);
      double* to = pooled.plane(n, c);
      visit_cells(maps.height, maps.width, height, width,
                  [&](size_t cell, size_t at, double share) { to[cell] += share * from[at]; });
    }
  }
  return pooled;
}

FeatureMaps unpool_gradient(const FeatureMaps& gradient, const FeatureMaps& like) {
  if (gradient.height == like.height && gradient.width == like.width) return gradient;
  FeatureMaps full = zero_maps(like.samples, like.channels, like.height, like.width);
  for (size_t n = 0; n < like.samples; ++n) {
    for (size_t c = 0; c < like.channels; ++c) {
      const double* from = gradient.plane(n, c);
      double* to = full.plane(n, c);
      visit_cells(like.height, like.width, gradient.height, gradient.width,
                  [&](size_t cell, size_t at, double share) { to[at] += share * from[cell]; });
    }
  }
  return full;
}

MapPair pool_to_common(const FeatureMaps& student, const FeatureMaps& teacher,
                       const std::string& loss) {
  if (student.samples != teacher.samples) {
    throw_error(Category::kUsage, "loss '" + loss + "'",
                "both taps must have the batch as their first dimension",
                std::to_string(student.samples) + " and " + std::to_string(teacher.samples),
                "choose other taps");
  }
  const size_t height = std::min(student.height, teacher.height);
  const size_t width = std::min(student.width, teacher.width);
  return {pool_maps(student, height, width), pool_maps(teacher, height, width)};
}

}  // namespace limbeck
