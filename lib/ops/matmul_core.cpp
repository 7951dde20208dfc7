#include "lib/ops/matmul_core.h"

#include "lib/ops/broadcast.h"
#include "lib/ops/gemm_core.h"

namespace limbeck {
namespace {

void check_ranks(size_t a, size_t b, const std::string& place) {
  if (a == 0 || b == 0) fail_model(place, "the factors must have rank 1 or more", "a scalar");
}

std::vector<int64_t> batch_offsets(const Dims& batch, const Dims& target, int64_t matrix) {
  const Dims strides = broadcast_strides(batch, target);
  std::vector<int64_t> offsets;
  const int64_t count = product(target, 0, target.size());
  Dims position(target.size(), 0);
  for (int64_t i = 0; i < count; ++i) {
    int64_t offset = 0;
    for (size_t axis = 0; axis < target.size(); ++axis) offset += position[axis] * strides[axis];
    offsets.push_back(offset * matrix);
    next_position(position, target, target.size());
  }
  return offsets;
}

}  // namespace

MatMulPlan plan_matmul(const Dims& a, const Dims& b, const std::string& place) {
  check_ranks(a.size(), b.size(), place);
  MatMulPlan plan;
  plan.m = a.size() > 1 ? a[a.size() - 2] : 1;
  plan.k = a.back();
  plan.n = b.size() > 1 ? b.back() : 1;
  if (b[b.size() > 1 ? b.size() - 2 : 0] != plan.k) {
    fail_model(place, "the inner dimensions of the factors must agree",
               dims_text(a) + " and " + dims_text(b));
  }
  const Dims a_batch(a.begin(), a.size() > 2 ? a.end() - 2 : a.begin());
  const Dims b_batch(b.begin(), b.size() > 2 ? b.end() - 2 : b.begin());
  plan.output = broadcast_dims(a_batch, b_batch, place);
  Dims whole = plan.output;
  whole.insert(whole.end(), {plan.m, plan.n});
  element_count(whole, place);
  plan.a_offsets = batch_offsets(a_batch, plan.output, plan.m * plan.k);
  plan.b_offsets = batch_offsets(b_batch, plan.output, plan.k * plan.n);
  if (a.size() > 1) plan.output.push_back(plan.m);
  if (b.size() > 1) plan.output.push_back(plan.n);
  return plan;
}

void matmul_family_shape(const ShapeContext& context, size_t a, size_t b, DataType type) {
  context.set_type(0, type);
  const Shape* x = context.shape(a);
  const Shape* y = context.shape(b);
  if (x == nullptr || y == nullptr) return;
  const std::string place = context.node.place();
  check_ranks(x->size(), y->size(), place);
  const Dim& inner = (*y)[y->size() > 1 ? y->size() - 2 : 0];
  if (inner.known() && x->back().known() && inner.value != x->back().value) {
    fail_model(place, "the inner dimensions of the factors must agree",
               shape_text(*x) + " and " + shape_text(*y));
  }
  Shape output =
      broadcast_shapes(Shape(x->begin(), x->size() > 2 ? x->end() - 2 : x->begin()),
                       Shape(y->begin(), y->size() > 2 ? y->end() - 2 : y->begin()), place);
  if (x->size() > 1) output.push_back((*x)[x->size() - 2]);
  if (y->size() > 1) output.push_back(y->back());
  context.set(0, type, std::move(output));
}

template <typename T>
void multiply_batches(const MatMulPlan& plan, const T* a, const T* b, T* c) {
  for (size_t i = 0; i < plan.a_offsets.size(); ++i) {
    multiply_add(a + plan.a_offsets[i], b + plan.b_offsets[i], c, plan.m, plan.k, plan.n);
    c += plan.m * plan.n;
  }
}

template void multiply_batches(const MatMulPlan&, const float*, const float*, float*);
template void multiply_batches(const MatMulPlan&, const double*, const double*, double*);
template void multiply_batches(const MatMulPlan&, const WrappingInt*, const WrappingInt*,
                               WrappingInt*);

}  // namespace limbeck
