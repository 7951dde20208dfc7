// Gradients of MatMul and Gemm: dA = dY B^T, dB = A^T dY.
#include "lib/ops/broadcast_gradient.h"
#include "lib/ops/gemm_core.h"
#include "lib/ops/gradient_rows.h"
#include "lib/ops/matmul_core.h"

namespace limbeck {
namespace {

constexpr uint64_t kBoth = GradientReads::slot(0) | GradientReads::slot(1);

/// Batches that share a factor add to the same gradient, in batch order.
template <typename T>
void run_matmul(GradientContext& context, const MatMulPlan& p, const std::string& place) {
  const T* a = typed<T>(context.input(0), place).data();
  const T* b = typed<T>(context.input(1), place).data();
  const T* dy = context.dy().as<T>().data();
  T* da = context.wants(0) ? context.zeros(0).mutable_as<T>().data() : nullptr;
  T* db = context.wants(1) ? context.zeros(1).mutable_as<T>().data() : nullptr;
  for (size_t i = 0; i < p.a_offsets.size(); ++i, dy += p.m * p.n) {
    if (da != nullptr) {
      const auto right = transposed(b + p.b_offsets[i], p.k, p.n);
      multiply_add(dy, right.data(), da + p.a_offsets[i], p.m, p.n, p.k);
    }
    if (db != nullptr) {
      const auto left = transposed(a + p.a_offsets[i], p.m, p.k);
      multiply_add(left.data(), dy, db + p.b_offsets[i], p.k, p.m, p.n);
    }
  }
}

struct Gemm {
  double alpha = 1;
  double beta = 1;
  bool transpose_a = false;
  bool transpose_b = false;
  std::string place;
};

/// The matrix, or its transpose in `storage`.
template <typename T>
const T* turned_if(bool turn, const T* matrix, int64_t rows, int64_t columns,
                   std::vector<T>& storage) {
  if (!turn) return matrix;
  storage = transposed(matrix, rows, columns);
  return storage.data();
}

/// alpha * left[rows, inner] right[inner, columns], stored transposed when `turn`.
template <typename T>
void set_product(Tensor& result, T alpha, bool turn, const T* left, const T* right, int64_t rows,
                 int64_t inner, int64_t columns) {
  std::vector<T> values(at(rows * columns), T{0});
  multiply_add(left, right, values.data(), rows, inner, columns);
  if (turn) values = transposed(values.data(), rows, columns);
  auto target = result.mutable_as<T>();
  for (size_t i = 0; i < target.size(); ++i) target[i] = alpha * values[i];
}

template <typename T>
void run_gemm(GradientContext& context, const Gemm& op) {
  const Tensor& dy = context.dy();
  const int64_t m = dy.dim(0);
  const int64_t n = dy.dim(1);
  const int64_t k = context.dims(0).at(op.transpose_a ? 0 : 1);
  const auto alpha = static_cast<T>(op.alpha);
  const T* from = dy.as<T>().data();
  std::vector<T> storage;
  if (context.wants(0)) {
    const T* b = typed<T>(context.input(1), op.place).data();
    const T* right = turned_if(!op.transpose_b, b, k, n, storage);  // n x k
    set_product(context.allocate(0), alpha, op.transpose_a, from, right, m, n, k);
  }
  if (context.wants(1)) {
    const T* a = typed<T>(context.input(0), op.place).data();
    const T* left = turned_if(!op.transpose_a, a, m, k, storage);  // k x m
    set_product(context.allocate(1), alpha, op.transpose_b, left, from, k, m, n);
  }
  if (!context.wants(2)) return;
  const auto beta = static_cast<T>(op.beta);
  context.set_gradient(
      2, sum_broadcast<T>(context.dims(2), dy.dims(), [&](size_t i) { return beta * from[i]; }));
}

}  // namespace

std::unique_ptr<Gradient> matmul_gradient(const Node& node, int64_t) {
  check_arity(node, 2);
  return make_gradient({.inputs = kBoth}, [place = node.place()](GradientContext& context) {
    const MatMulPlan plan = plan_matmul(context.dims(0), context.dims(1), place);
    dispatch<float, double>(context.dy().type(), place,
                            [&]<typename T>() { run_matmul<T>(context, plan, place); });
  });
}

std::unique_ptr<Gradient> gemm_gradient(const Node& node, int64_t) {
  check_arity(node, 2);
  const Gemm op{node.float_attribute("alpha", 1), node.float_attribute("beta", 1),
                node.int_attribute("transA", 0) != 0, node.int_attribute("transB", 0) != 0,
                node.place()};
  return make_gradient({.inputs = kBoth}, [op](GradientContext& context) {
    dispatch<float, double>(context.dy().type(), op.place,
                            [&]<typename T>() { run_gemm<T>(context, op); });
  });
}

}  // namespace limbeck
