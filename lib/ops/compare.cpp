// Predicates and selection: Equal, Less, Greater, And, Or, Xor, Where and the or-equal forms.
#include "lib/ops/broadcast.h"
#include "lib/ops/rows.h"

namespace limbeck {
namespace {

template <typename T, typename F>
void run_predicate(KernelContext& context, const std::string& place, F function) {
  const Tensor& a = context.input(0);
  const Tensor& b = context.input(1);
  typed<T>(b, place);
  Tensor& y = context.allocate(0, DataType::kBool, broadcast_dims(a.dims(), b.dims(), place));
  apply_broadcast<T, T>(a, b, y, mutable_raw_as<uint8_t>(y),
                        [&](T x, T z) { return static_cast<uint8_t>(function(x, z) ? 1 : 0); });
}

template <typename F>
std::unique_ptr<Kernel> comparison(const Node& node, F function) {
  check_arity(node, 2);
  return make_kernel([function, place = node.place()](KernelContext& context) {
    if (context.input(0).type() == DataType::kBool)
      return run_predicate<bool>(context, place, function);
    dispatch_numeric(context.input(0).type(), place,
                     [&]<typename T>() { run_predicate<T>(context, place, function); });
  });
}

template <typename F>
std::unique_ptr<Kernel> logical(const Node& node, F function) {
  check_arity(node, 2);
  return make_kernel([function, place = node.place()](KernelContext& context) {
    typed<bool>(context.input(0), place);
    run_predicate<bool>(context, place, function);
  });
}

/// Strides of each of the three inputs under the result.
template <typename U>
void select(const Tensor* const (&inputs)[3], Tensor& y) {
  Dims strides[3];
  for (size_t i = 0; i < 3; ++i) strides[i] = broadcast_strides(inputs[i]->dims(), y.dims());
  const auto* condition = raw_as<uint8_t>(*inputs[0]);
  Dims position(y.rank(), 0);
  U* target = mutable_raw_as<U>(y);
  for (int64_t i = 0; i < y.count(); ++i) {
    int64_t offset[3] = {0, 0, 0};
    for (size_t axis = 0; axis < y.rank(); ++axis) {
      for (size_t j = 0; j < 3; ++j) offset[j] += position[axis] * strides[j][axis];
    }
    target[i] = condition[offset[0]] != 0 ? raw_as<U>(*inputs[1])[offset[1]]
                                          : raw_as<U>(*inputs[2])[offset[2]];
    next_position(position, y.dims(), y.rank());
  }
}

}  // namespace

std::unique_ptr<Kernel> equal_kernel(const Node& node, int64_t) {
  return comparison(node, [](auto x, auto y) { return x == y; });
}

std::unique_ptr<Kernel> less_kernel(const Node& node, int64_t) {
  return comparison(node, [](auto x, auto y) { return x < y; });
}

std::unique_ptr<Kernel> less_or_equal_kernel(const Node& node, int64_t) {
  return comparison(node, [](auto x, auto y) { return x <= y; });
}

std::unique_ptr<Kernel> greater_kernel(const Node& node, int64_t) {
  return comparison(node, [](auto x, auto y) { return x > y; });
}

std::unique_ptr<Kernel> greater_or_equal_kernel(const Node& node, int64_t) {
  return comparison(node, [](auto x, auto y) { return x >= y; });
}

std::unique_ptr<Kernel> and_kernel(const Node& node, int64_t) {
  return logical(node, [](bool x, bool y) { return x && y; });
}

std::unique_ptr<Kernel> or_kernel(const Node& node, int64_t) {
  return logical(node, [](bool x, bool y) { return x || y; });
}

std::unique_ptr<Kernel> xor_kernel(const Node& node, int64_t) {
  return logical(node, [](bool x, bool y) { return x != y; });
}

void where_shape(const ShapeContext& context) {
  const Value* x = context.input(1);
  context.set_type(0, x == nullptr ? DataType::kUndefined : x->type);
  const Shape* shapes[3] = {context.shape(0), context.shape(1), context.shape(2)};
  if (shapes[0] == nullptr || shapes[1] == nullptr || shapes[2] == nullptr) return;
  const std::string place = context.node.place();
  context.set(0, DataType::kUndefined,
              broadcast_shapes(broadcast_shapes(*shapes[0], *shapes[1], place), *shapes[2], place));
}

std::unique_ptr<Kernel> where_kernel(const Node& node, int64_t) {
  check_arity(node, 3);
  return make_kernel([place = node.place()](KernelContext& context) {
    const Tensor* const inputs[3] = {&context.input(0), &context.input(1), &context.input(2)};
    typed<bool>(*inputs[0], place);
    if (inputs[1]->type() != inputs[2]->type()) {
      fail_model(place, "both choices must have the same type", data_type_name(inputs[2]->type()));
    }
    const Dims dims = broadcast_dims(inputs[0]->dims(), inputs[1]->dims(), place);
    Tensor& y =
        context.allocate(0, inputs[1]->type(), broadcast_dims(dims, inputs[2]->dims(), place));
    dispatch_width(y.type(), place, [&]<typename U>() { select<U>(inputs, y); });
  });
}

}  // namespace limbeck
