// com.microsoft QGemm (version 1): A, B with scale and zero point each, int32 C in steps of
// a_scale * b_scale, then scale and zero point of the result; without them the result is float.
#include "lib/ops/broadcast.h"
#include "lib/ops/gemm_core.h"
#include "lib/ops/qlinear_common.h"
#include "lib/ops/quantized.h"
#include "lib/ops/rows.h"

namespace limbeck {
namespace {

struct QGemm {
  float alpha = 1;
  bool transpose_a = false;
  bool transpose_b = false;
  std::string place;
};

QGemm read_qgemm(const Node& node) {
  return {node.float_attribute("alpha", 1), node.int_attribute("transA", 0) != 0,
          node.int_attribute("transB", 0) != 0, node.place()};
}

/// The int32 bits of element (row, column) of C under the rules of Gemm's broadcast.
uint32_t bias_at(const Tensor* c, int64_t row, int64_t column) {
  if (c == nullptr) return 0;
  const Dims& dims = c->dims();
  const int64_t columns = dims.empty() ? 1 : dims.back();
  const int64_t rows = dims.size() < 2 ? 1 : dims[0];
  const int64_t index = (rows == 1 ? 0 : row * columns) + (columns == 1 ? 0 : column);
  return static_cast<uint32_t>(c->as<int32_t>()[at(index)]);
}

std::vector<WrappingInt> centred_matrix(const Tensor& matrix, const std::vector<int32_t>& zeros,
                                        bool transpose, bool zero_per_row,
                                        const std::string& place) {
  const auto codes = centred(matrix, zeros, zero_per_row ? matrix.dim(1) : 1, place);
  return transpose ? transposed(codes.data(), matrix.dim(0), matrix.dim(1)) : codes;
}

struct Product {
  std::vector<WrappingInt> sums;
  int64_t m = 0;
  int64_t n = 0;
};

Product multiply(KernelContext& context, const QGemm& op, size_t scales) {
  const Tensor& a = context.input(0);
  const Tensor& b = context.input(3);
  if (a.rank() != 2 || b.rank() != 2)
    fail_model(op.place, "A and B must have rank 2",
               dims_text(a.dims()) + " and " + dims_text(b.dims()));
  const int64_t k = a.dim(op.transpose_a ? 0 : 1);
  Product result{{}, a.dim(op.transpose_a ? 1 : 0), b.dim(op.transpose_b ? 0 : 1)};
  check_model(b.dim(op.transpose_b ? 1 : 0) == k, op.place,
              "the inner dimensions of A and B must agree", k);
  check_model(scales == 1 || scales == at(result.n), op.place,
              "b_scale must hold one item or one a column of the result; items",
              static_cast<int64_t>(scales));
  const auto a_zero = read_zero_points(context.optional_input(2), 1, op.place);
  const auto b_zeros = read_zero_points(context.optional_input(5), scales, op.place);
  const auto left = centred_matrix(a, a_zero, op.transpose_a, false, op.place);
  const auto right = centred_matrix(b, b_zeros, op.transpose_b, op.transpose_b, op.place);
  const Tensor* c = context.optional_input(6);
  if (c != nullptr) {
    typed<int32_t>(*c, op.place);
    const Dims target{result.m, result.n};
    if (broadcast_dims(c->dims(), target, op.place) != target)
      fail_model(op.place, "C must broadcast to " + dims_text(target), dims_text(c->dims()));
  }
  for (int64_t i = 0; i < result.m * result.n; ++i)
    result.sums.push_back(bias_at(c, i / result.n, i % result.n));
  multiply_add(left.data(), right.data(), result.sums.data(), result.m, k, result.n);
  return result;
}

void run_qgemm(KernelContext& context, const QGemm& op) {
  const float a_scale = read_scales(context.input(1), op.place).at(0);
  const auto b_scales = read_scales(context.input(4), op.place);
  const Product product = multiply(context, op, b_scales.size());
  const Dims dims{product.m, product.n};
  Tensor real = Tensor::allocate(DataType::kFloat, dims);
  const auto values = real.mutable_as<float>();
  for (size_t i = 0; i < values.size(); ++i) {
    const float b_scale = b_scales.size() == 1 ? b_scales[0] : b_scales[i % at(product.n)];
    values[i] =
        static_cast<float>(static_cast<int32_t>(product.sums[i])) * (op.alpha * a_scale * b_scale);
  }
  const Tensor* y_scale = context.optional_input(7);
  if (y_scale == nullptr) return context.set_output(0, std::move(real));
  const Tensor* y_zero = context.optional_input(8);
  const DataType type = y_zero != nullptr ? y_zero->type() : context.input(0).type();
  context.set_output(0, quantized_tensor(real, *y_scale, y_zero, type, op.place));
}

}  // namespace

void qgemm_shape(const ShapeContext& context) {
  if (context.input(7) == nullptr) {
    context.set_type(0, DataType::kFloat);
  } else {
    same_type_only(context);
  }
  const QGemm op = read_qgemm(context.node);
  const Shape* a = context.shape(0);
  const Shape* b = context.shape(3);
  if (a == nullptr || b == nullptr) return;
  if (a->size() != 2 || b->size() != 2) {
    fail_model(op.place, "A and B must have rank 2", shape_text(*a) + " and " + shape_text(*b));
  }
  context.set(0, DataType::kUndefined,
              {(*a)[op.transpose_a ? 1 : 0], (*b)[op.transpose_b ? 0 : 1]});
}

std::unique_ptr<Kernel> qgemm_kernel(const Node& node, int64_t) {
  check_arity(node, 5);
  return make_kernel([op = read_qgemm(node)](KernelContext& context) { run_qgemm(context, op); });
}

}  // namespace limbeck
