// The arithmetic that Resize and Upsample share. Internal to lib/ops.
#pragma once

#include <functional>

#include "lib/ops/resize_axis.h"

namespace limbeck {

ResizeAttributes read_resize_attributes(const Node& node, int64_t opset);

/// Where roi, scales and sizes come from: input slots, far out where the opset has none, or the
/// attribute of Upsample 7.
struct ResizeSlots {
  size_t roi = 0;
  size_t scales = 0;
  size_t sizes = 0;
  std::vector<float> fixed_scales;
};
ResizeSlots read_resize_slots(const Node& node, int64_t opset);

/// What the inputs ask for, one item for each axis that the attributes name; empty means not given.
struct ResizeRequest {
  std::vector<float> roi;  ///< begin of each axis, then end of each
  std::vector<float> scales;
  std::vector<int64_t> sizes;
};

/// `input` gives the tensor of a slot, null where there is none.
ResizeRequest read_resize_request(const ResizeSlots& slots,
                                  const std::function<const Tensor*(size_t)>& input,
                                  const std::string& place);

/// Axes that scales, sizes and roi describe, in their order.
std::vector<size_t> resized_axes(const ResizeAttributes& attributes, size_t rank,
                                 const std::string& place);
/// Output size of a scaled axis.
int64_t scaled_size(int64_t input, float scale, const std::string& place);
/// Every axis of an input of `dims`. Raises kInvalidModel.
ResizeAxes resolve_resize(const ResizeAttributes& attributes, const ResizeRequest& request,
                          const Dims& dims, const std::string& place);

/// Computes output 0 from input 0.
void run_resize(KernelContext& context, const ResizeAttributes& attributes, const ResizeAxes& axes,
                const std::string& place);

}  // namespace limbeck
