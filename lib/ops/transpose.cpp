#include <algorithm>

#include "lib/ops/copy.h"
#include "lib/ops/rows.h"

namespace limbeck {
namespace {

std::vector<size_t> permutation(const std::vector<int64_t>& perm, size_t rank,
                                const std::string& place) {
  std::vector<size_t> order;
  if (perm.empty()) {
    for (size_t i = rank; i-- > 0;) order.push_back(i);
    return order;
  }
  check_model(normal_axes(perm, rank, place).size() == rank, place,
              "perm must name every axis once; items", static_cast<int64_t>(perm.size()));
  for (const int64_t axis : perm) order.push_back(normal_axis(axis, rank, place));
  return order;
}

}  // namespace

void transpose_shape(const ShapeContext& context) {
  same_type_only(context);
  const Shape* input = context.shape(0);
  if (input == nullptr) return;
  Shape output;
  for (const size_t axis :
       permutation(context.node.ints_attribute("perm", {}), input->size(), context.node.place())) {
    output.push_back((*input)[axis]);
  }
  context.set(0, DataType::kUndefined, std::move(output));
}

std::unique_ptr<Kernel> transpose_kernel(const Node& node, int64_t) {
  check_arity(node, 1);
  return make_kernel(
      [perm = node.ints_attribute("perm", {}), place = node.place()](KernelContext& context) {
        const Tensor& x = context.input(0);
        const Dims strides = row_strides(x.dims());
        Dims dims;
        Dims source;
        for (const size_t axis : permutation(perm, x.rank(), place)) {
          dims.push_back(x.dim(axis));
          source.push_back(strides[axis]);
        }
        strided_copy(x, source, context.allocate(0, x.type(), dims), place);
      });
}

}  // namespace limbeck
