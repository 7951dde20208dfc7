#include "lib/ops/broadcast.h"

#include <algorithm>

namespace limbeck {
namespace {

Dim broadcast_dim(const Dim& a, const Dim& b, const std::string& place) {
  if (a.value == 1) return b;
  if (b.value == 1 || a == b) return a;
  if (a.known() && b.known()) {
    fail_model(place, "dimensions that are broadcast must be equal or 1",
               std::to_string(a.value) + " against " + std::to_string(b.value));
  }
  if (a.known()) return a;
  return b.known() ? b : Dim{};
}

void broadcast_all(const ShapeContext& context, DataType type) {
  context.set_type(0, type);
  std::optional<Shape> result;
  for (size_t i = 0; i < context.node.inputs().size(); ++i) {
    const Shape* shape = context.shape(i);
    if (shape == nullptr) return;
    result = result ? broadcast_shapes(*result, *shape, context.node.place()) : *shape;
  }
  if (result) context.set(0, type, *result);
}

}  // namespace

Shape broadcast_shapes(const Shape& a, const Shape& b, const std::string& place) {
  Shape result(std::max(a.size(), b.size()));
  for (size_t i = 0; i < result.size(); ++i) {
    const Dim one{1, ""};
    const Dim& x = i < a.size() ? a[a.size() - 1 - i] : one;
    const Dim& y = i < b.size() ? b[b.size() - 1 - i] : one;
    result[result.size() - 1 - i] = broadcast_dim(x, y, place);
  }
  return result;
}

Dims broadcast_dims(const Dims& a, const Dims& b, const std::string& place) {
  if (a == b) return a;
  Dims dims;
  for (const Dim& dim : broadcast_shapes(to_shape(a), to_shape(b), place))
    dims.push_back(dim.value);
  return dims;
}

Dims broadcast_strides(const Dims& dims, const Dims& target) {
  const Dims strides = row_strides(dims);
  Dims result(target.size(), 0);
  const size_t shift = target.size() - dims.size();
  for (size_t i = 0; i < dims.size(); ++i) result[shift + i] = dims[i] == 1 ? 0 : strides[i];
  return result;
}

BroadcastPlan plan_broadcast(const Dims& a, const Dims& b, const Dims& target) {
  const Dims a_strides = broadcast_strides(a, target);
  const Dims b_strides = broadcast_strides(b, target);
  BroadcastPlan plan;
  for (size_t i = 0; i < target.size(); ++i) {
    if (target[i] == 1) continue;
    const bool merges = !plan.dims.empty() && plan.a_strides.back() == a_strides[i] * target[i] &&
                        plan.b_strides.back() == b_strides[i] * target[i];
    if (merges) {
      plan.dims.back() *= target[i];
      plan.a_strides.back() = a_strides[i];
      plan.b_strides.back() = b_strides[i];
    } else {
      plan.dims.push_back(target[i]);
      plan.a_strides.push_back(a_strides[i]);
      plan.b_strides.push_back(b_strides[i]);
    }
  }
  if (plan.dims.empty()) plan = {{1}, {0}, {0}};
  return plan;
}

bool next_position(Dims& position, const Dims& dims, size_t axes) {
  for (size_t i = axes; i-- > 0;) {
    if (++position[i] < dims[i]) return true;
    position[i] = 0;
  }
  return false;
}

void broadcast_shape(const ShapeContext& context) {
  const Value* input = context.input(0);
  broadcast_all(context, input == nullptr ? DataType::kUndefined : input->type);
}

void predicate_shape(const ShapeContext& context) { broadcast_all(context, DataType::kBool); }

}  // namespace limbeck
