// Batched matrix products with numpy broadcasting. Internal to lib/ops.
#pragma once

#include "lib/ops/common.h"

namespace limbeck {

struct MatMulPlan {
  int64_t m = 1;
  int64_t k = 1;
  int64_t n = 1;
  Dims output;                     ///< dimensions of the result, batch first
  std::vector<int64_t> a_offsets;  ///< element offset of A for each batch item
  std::vector<int64_t> b_offsets;  ///< element offset of B for each batch item
};

/// Raises kInvalidModel for scalars and dimensions that do not fit.
MatMulPlan plan_matmul(const Dims& a, const Dims& b, const std::string& place);
/// Shape rule for A at input `a` and B at input `b`.
void matmul_family_shape(const ShapeContext& context, size_t a, size_t b, DataType type);

/// c += A B for every batch item; T as in multiply_add.
template <typename T>
void multiply_batches(const MatMulPlan& plan, const T* a, const T* b, T* c);

}  // namespace limbeck
