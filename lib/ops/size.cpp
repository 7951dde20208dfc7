#include "lib/ops/rows.h"

namespace limbeck {

void size_shape(const ShapeContext& context) { context.set(0, DataType::kInt64, {}); }

std::unique_ptr<Kernel> size_kernel(const Node& node, int64_t) {
  check_arity(node, 1);
  return make_kernel([](KernelContext& context) {
    context.set_output(0, Tensor::scalar<int64_t>(context.input(0).count()));
  });
}

}  // namespace limbeck
