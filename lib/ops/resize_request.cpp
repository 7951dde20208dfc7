// From the inputs of Resize to the axes it works on.
#include <algorithm>
#include <cmath>

#include "lib/ops/resize_core.h"

namespace limbeck {
namespace {

void check_items(size_t items, size_t wanted, const char* name, const std::string& place) {
  if (items == 0 || items == wanted) return;
  fail_model(place, std::string(name) + " must have " + std::to_string(wanted) + " items",
             std::to_string(items));
}

void set_output(ResizeAxis& axis, int64_t output, float scale) {
  axis.output = output;
  axis.scale = scale;
  axis.length = static_cast<float>(axis.input) * scale;
}

float ratio(int64_t output, int64_t input) {
  if (input == 0) return 1.0F;
  return static_cast<float>(output) / static_cast<float>(input);
}

/// One scale for all axes, so that the picture keeps its proportions.
float common_scale(const ResizeAttributes& attributes, const std::vector<int64_t>& sizes,
                   const std::vector<size_t>& order, const Dims& dims) {
  std::vector<float> scales;
  for (size_t i = 0; i < order.size(); ++i) scales.push_back(ratio(sizes[i], dims[order[i]]));
  const auto [low, high] = std::minmax_element(scales.begin(), scales.end());
  return attributes.policy == ResizePolicy::kNotLarger ? *low : *high;
}

void apply_sizes(const ResizeAttributes& attributes, const std::vector<int64_t>& sizes,
                 const std::vector<size_t>& order, const Dims& dims, ResizeAxes& axes,
                 const std::string& place) {
  for (size_t i = 0; i < order.size(); ++i) {
    check_model(sizes[i] >= 0, place, "a size must not be negative", sizes[i]);
    check_model(dims[order[i]] > 0 || sizes[i] == 0, place, "an empty axis stays empty; size",
                sizes[i]);
  }
  if (order.empty()) return;
  const float common = common_scale(attributes, sizes, order, dims);
  for (size_t i = 0; i < order.size(); ++i) {
    ResizeAxis& axis = axes[order[i]];
    if (attributes.policy == ResizePolicy::kStretch) {
      set_output(axis, sizes[i], ratio(sizes[i], axis.input));
      axis.length = static_cast<float>(axis.output);
    } else {
      const double exact = static_cast<double>(axis.input) * static_cast<double>(common);
      element_count({static_cast<int64_t>(std::min(exact, 4e18))}, place);
      set_output(axis, static_cast<int64_t>(std::floor(exact + 0.5)), common);
    }
  }
}

}  // namespace

ResizeRequest read_resize_request(const ResizeSlots& slots,
                                  const std::function<const Tensor*(size_t)>& input,
                                  const std::string& place) {
  ResizeRequest request;
  request.scales = slots.fixed_scales;
  if (const Tensor* roi = input(slots.roi)) request.roi = roi->to_float();
  if (const Tensor* scales = input(slots.scales)) request.scales = scales->to_float();
  if (const Tensor* sizes = input(slots.sizes)) request.sizes = integer_list(*sizes, place);
  return request;
}

std::vector<size_t> resized_axes(const ResizeAttributes& attributes, size_t rank,
                                 const std::string& place) {
  std::vector<size_t> order;
  for (size_t i = 0; i < rank && !attributes.axes; ++i) order.push_back(i);
  if (attributes.axes) {
    normal_axes(*attributes.axes, rank, place);  // distinct
    for (const int64_t axis : *attributes.axes) order.push_back(normal_axis(axis, rank, place));
  }
  return order;
}

int64_t scaled_size(int64_t input, float scale, const std::string& place) {
  const float size = std::floor(static_cast<float>(input) * scale);
  if (!(scale > 0.0F) || !(size < 4e18F)) {
    fail_model(place, "a scale must be above zero and finite", std::to_string(scale));
  }
  return static_cast<int64_t>(size);
}

ResizeAxes resolve_resize(const ResizeAttributes& attributes, const ResizeRequest& request,
                          const Dims& dims, const std::string& place) {
  const std::vector<size_t> order = resized_axes(attributes, dims.size(), place);
  check_items(request.scales.size(), order.size(), "scales", place);
  check_items(request.sizes.size(), order.size(), "sizes", place);
  if (request.scales.empty() == request.sizes.empty() && !order.empty())
    fail_model(place, "either scales or sizes must be given",
               request.scales.empty() ? "none" : "both");
  ResizeAxes axes;
  for (const int64_t dim : dims) axes.push_back({dim, dim, 1.0F, static_cast<float>(dim)});
  for (size_t i = 0; i < request.scales.size(); ++i) {
    ResizeAxis& axis = axes[order[i]];
    set_output(axis, scaled_size(axis.input, request.scales[i], place), request.scales[i]);
  }
  if (!request.sizes.empty()) apply_sizes(attributes, request.sizes, order, dims, axes, place);
  if (attributes.coordinates != ResizeCoordinates::kTfCropAndResize) return axes;
  check_items(request.roi.size(), 2 * order.size(), "roi", place);
  for (size_t i = 0; i < order.size() && !request.roi.empty(); ++i) {
    axes[order[i]].roi_begin = request.roi[i];
    axes[order[i]].roi_end = request.roi[order.size() + i];
  }
  return axes;
}

}  // namespace limbeck
