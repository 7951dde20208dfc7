#include <algorithm>

#include "lib/ops/rows.h"

namespace limbeck {
namespace {

struct Range {
  size_t first = 0;
  size_t last = 0;
};

/// Axes that Shape reports; start and end count from opset 15 on.
Range shape_range(int64_t start, int64_t end, size_t rank) {
  const auto n = static_cast<int64_t>(rank);
  const auto clamp = [n](int64_t i) { return at(std::clamp<int64_t>(i < 0 ? i + n : i, 0, n)); };
  return {clamp(start), std::max(clamp(start), clamp(end))};
}

constexpr int64_t kToTheEnd = int64_t{1} << 40;

}  // namespace

void shape_shape(const ShapeContext& context) {
  context.set_type(0, DataType::kInt64);
  const Shape* input = context.shape(0);
  if (input == nullptr) return;
  const Range range = shape_range(context.node.int_attribute("start", 0),
                                  context.node.int_attribute("end", kToTheEnd), input->size());
  context.set(0, DataType::kInt64, {{static_cast<int64_t>(range.last - range.first), ""}});
}

std::unique_ptr<Kernel> shape_kernel(const Node& node, int64_t) {
  check_arity(node, 1);
  return make_kernel([start = node.int_attribute("start", 0),
                      end = node.int_attribute("end", kToTheEnd)](KernelContext& context) {
    const Dims& dims = context.input(0).dims();
    const Range range = shape_range(start, end, dims.size());
    std::vector<int64_t> items;
    for (size_t i = range.first; i < range.last; ++i) items.push_back(dims[i]);
    context.set_output(0, Tensor::from<int64_t>({static_cast<int64_t>(items.size())}, items));
  });
}

}  // namespace limbeck
