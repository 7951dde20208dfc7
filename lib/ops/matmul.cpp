#include "lib/ops/gemm_core.h"
#include "lib/ops/matmul_core.h"
#include "lib/ops/rows.h"

namespace limbeck {

void matmul_shape(const ShapeContext& context) {
  matmul_family_shape(context, 0, 1,
                      context.input(0) != nullptr ? context.input(0)->type : DataType::kUndefined);
}

std::unique_ptr<Kernel> matmul_kernel(const Node& node, int64_t) {
  check_arity(node, 2);
  return make_kernel([place = node.place()](KernelContext& context) {
    const Tensor& a = context.input(0);
    const Tensor& b = context.input(1);
    const MatMulPlan plan = plan_matmul(a.dims(), b.dims(), place);
    dispatch<float, double>(a.type(), place, [&]<typename T>() {
      Tensor result = Tensor::zeros(a.type(), plan.output);
      multiply_batches(plan, typed<T>(a, place).data(), typed<T>(b, place).data(),
                       result.mutable_as<T>().data());
      context.set_output(0, std::move(result));
    });
  });
}

}  // namespace limbeck
