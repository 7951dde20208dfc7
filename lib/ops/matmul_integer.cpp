// MatMulInteger (opset 10) and QLinearMatMul (opset 10): products of 8-bit integer matrices.
#include "lib/ops/matmul_core.h"
#include "lib/ops/quantized.h"
#include "lib/ops/rows.h"

namespace limbeck {
namespace {

void check_side(size_t count, int64_t length, const std::string& place) {
  check_model(count == 1 || count == at(length), place,
              "parameters must be one or one a row of A or column of B; items",
              static_cast<int64_t>(count));
}

size_t items(const Tensor* tensor) {
  return tensor == nullptr ? 1 : static_cast<size_t>(tensor->count());
}

std::vector<WrappingInt> multiply(const MatMulPlan& plan, const Tensor& a,
                                  const std::vector<int32_t>& a_zeros, const Tensor& b,
                                  const std::vector<int32_t>& b_zeros, const std::string& place) {
  check_side(a_zeros.size(), plan.m, place);
  check_side(b_zeros.size(), plan.n, place);
  const auto left = centred(a, a_zeros, plan.k, place);
  const auto right = centred(b, b_zeros, 1, place);  // column of element i: i % n
  std::vector<WrappingInt> y(at(product(plan.output, 0, plan.output.size())), 0);
  multiply_batches(plan, left.data(), right.data(), y.data());
  return y;
}

void run_qlinear_matmul(KernelContext& context, const std::string& place) {
  const Tensor& a = context.input(0);
  const Tensor& b = context.input(3);
  const MatMulPlan plan = plan_matmul(a.dims(), b.dims(), place);
  const auto a_scales = read_scales(context.input(1), place);
  const auto b_scales = read_scales(context.input(4), place);
  const float y_scale = read_scales(context.input(6), place).at(0);
  check_side(a_scales.size(), plan.m, place);
  check_side(b_scales.size(), plan.n, place);
  const auto sums =
      multiply(plan, a, read_zero_points(&context.input(2), items(&context.input(2)), place), b,
               read_zero_points(&context.input(5), items(&context.input(5)), place), place);
  const int32_t zero = read_zero_points(&context.input(7), 1, place)[0];
  const DataType type = context.input(7).type();
  const CodeRange range = code_range(type, place);
  const size_t n = at(std::max<int64_t>(1, plan.n));
  const size_t m = at(std::max<int64_t>(1, plan.m));
  std::vector<int32_t> codes(sums.size());
  for (size_t i = 0; i < sums.size(); ++i) {
    const float a_scale = a_scales.size() == 1 ? a_scales[0] : a_scales[i / n % m];
    const float b_scale = b_scales.size() == 1 ? b_scales[0] : b_scales[i % n];
    const float factor = a_scale * b_scale / y_scale;
    codes[i] = to_code(static_cast<float>(static_cast<int32_t>(sums[i])) * factor, zero, range);
  }
  context.set_output(0, store_codes(type, plan.output, codes, place));
}

}  // namespace

void matmul_integer_shape(const ShapeContext& context) {
  matmul_family_shape(context, 0, 1, DataType::kInt32);
}

std::unique_ptr<Kernel> matmul_integer_kernel(const Node& node, int64_t) {
  check_arity(node, 2);
  return make_kernel([place = node.place()](KernelContext& context) {
    const Tensor& a = context.input(0);
    const Tensor& b = context.input(1);
    const MatMulPlan plan = plan_matmul(a.dims(), b.dims(), place);
    const Tensor* a_zero = context.optional_input(2);
    const Tensor* b_zero = context.optional_input(3);
    const auto sums = multiply(plan, a, read_zero_points(a_zero, items(a_zero), place), b,
                               read_zero_points(b_zero, items(b_zero), place), place);
    const auto y = context.allocate(0, DataType::kInt32, plan.output).mutable_as<int32_t>();
    for (size_t i = 0; i < y.size(); ++i) y[i] = static_cast<int32_t>(sums[i]);
  });
}

void qlinear_matmul_shape(const ShapeContext& context) {
  const Value* zero = context.input(7);
  matmul_family_shape(context, 0, 3, zero == nullptr ? DataType::kUndefined : zero->type);
}

std::unique_ptr<Kernel> qlinear_matmul_kernel(const Node& node, int64_t) {
  check_arity(node, 8);
  return make_kernel(
      [place = node.place()](KernelContext& context) { run_qlinear_matmul(context, place); });
}

}  // namespace limbeck
