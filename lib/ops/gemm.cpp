#include "lib/ops/broadcast.h"
#include "lib/ops/gemm_core.h"
#include "lib/ops/rows.h"

namespace limbeck {
namespace {

struct GemmAttributes {
  float alpha = 1;
  float beta = 1;
  bool transpose_a = false;
  bool transpose_b = false;
};

GemmAttributes read_gemm(const Node& node) {
  return {node.float_attribute("alpha", 1), node.float_attribute("beta", 1),
          node.int_attribute("transA", 0) != 0, node.int_attribute("transB", 0) != 0};
}

/// y = beta * c, broadcast; zero without c.
template <typename T>
void fill_bias(const Tensor* c, T beta, Tensor& y, const std::string& place) {
  auto target = y.mutable_as<T>();
  std::fill(target.begin(), target.end(), T{0});
  if (c == nullptr || beta == 0) return;
  typed<T>(*c, place);
  if (broadcast_dims(c->dims(), y.dims(), place) != y.dims()) {
    fail_model(place, "C must broadcast to " + dims_text(y.dims()), dims_text(c->dims()));
  }
  apply_broadcast<T, T>(*c, y, y, target.data(), [beta](T bias, T) { return beta * bias; });
}

template <typename T>
void run_gemm(KernelContext& context, const GemmAttributes& attributes, const std::string& place) {
  const Tensor& a = context.input(0);
  const Tensor& b = context.input(1);
  if (a.rank() != 2 || b.rank() != 2)
    fail_model(place, "A and B must have rank 2",
               dims_text(a.dims()) + " and " + dims_text(b.dims()));
  const int64_t m = a.dim(attributes.transpose_a ? 1 : 0);
  const int64_t k = a.dim(attributes.transpose_a ? 0 : 1);
  const int64_t n = b.dim(attributes.transpose_b ? 0 : 1);
  check_model(b.dim(attributes.transpose_b ? 1 : 0) == k, place,
              "the inner dimensions of A and B must agree", k);
  const T* b_data = typed<T>(b, place).data();
  const T* a_data = typed<T>(a, place).data();
  std::vector<T> left;
  std::vector<T> right;
  if (attributes.transpose_b) b_data = (right = transposed(b_data, n, k)).data();
  if (attributes.transpose_a) a_data = (left = transposed(a_data, k, m)).data();
  if (attributes.alpha != 1) {
    if (left.empty()) left.assign(a_data, a_data + m * k);
    for (T& item : left) item *= static_cast<T>(attributes.alpha);
    a_data = left.data();
  }
  Tensor& y = context.allocate(0, a.type(), {m, n});
  fill_bias<T>(context.optional_input(2), static_cast<T>(attributes.beta), y, place);
  multiply_add(a_data, b_data, y.mutable_as<T>().data(), m, k, n);
}

}  // namespace

void gemm_shape(const ShapeContext& context) {
  same_type_only(context);
  const GemmAttributes attributes = read_gemm(context.node);
  const Shape* a = context.shape(0);
  const Shape* b = context.shape(1);
  if (a == nullptr || b == nullptr) return;
  if (a->size() != 2 || b->size() != 2) {
    fail_model(context.node.place(), "A and B must have rank 2",
               shape_text(*a) + " and " + shape_text(*b));
  }
  context.set(0, DataType::kUndefined,
              {(*a)[attributes.transpose_a ? 1 : 0], (*b)[attributes.transpose_b ? 0 : 1]});
}

std::unique_ptr<Kernel> gemm_kernel(const Node& node, int64_t) {
  check_arity(node, 2);
  return make_kernel([attributes = read_gemm(node), place = node.place()](KernelContext& context) {
    dispatch<float, double>(context.input(0).type(), place,
                            [&]<typename T>() { run_gemm<T>(context, attributes, place); });
  });
}

}  // namespace limbeck
