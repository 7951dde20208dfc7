#include "lib/ops/half.h"
#include "lib/ops/nibbles.h"
#include "lib/ops/numbers.h"
#include "lib/ops/rows.h"

namespace limbeck {
namespace {

template <typename From, typename To>
void convert(const Tensor& x, Tensor& y) {
  const auto source = x.as<From>();
  auto target = y.mutable_as<To>();
  for (size_t i = 0; i < source.size(); ++i) {
    if constexpr (std::is_same_v<To, bool>)
      target[i] = source[i] != From{0};
    else
      target[i] = saturating_cast<To>(source[i]);
  }
}

/// Types without a C++ counterpart are read through float (exact) and written from it.
bool is_narrow(DataType type) {
  return type == DataType::kFloat16 || type == DataType::kBfloat16 || is_4_bit(type);
}

Tensor to_native(const Tensor& x, DataType target) {
  if (!is_narrow(x.type())) return x;
  if (x.type() == target) return x;
  return Tensor::from<float>(x.dims(), x.to_float());
}

Tensor to_narrow(const Tensor& x, DataType to) {
  const std::vector<float> values = x.to_float();
  if (is_4_bit(to)) {
    const float low = to == DataType::kInt4 ? -8.0F : 0.0F;
    std::vector<int32_t> items;
    for (const float value : values)
      items.push_back(saturating_cast<int32_t>(smaller(larger(value, low), low + 15.0F)));
    return pack_nibbles(to, x.dims(), items);
  }
  return pack_halves(to, x.dims(), values);
}

template <typename F>
void dispatch_native(DataType type, const std::string& place, F&& f) {
  if (type == DataType::kBool) return f.template operator()<bool>();
  dispatch_numeric(type, place, std::forward<F>(f));
}

void run_cast(KernelContext& context, DataType to, const std::string& place) {
  if (context.input(0).type() == to) return context.set_output(0, context.input(0));
  const Tensor x = to_native(context.input(0), to);
  if (is_narrow(to)) return context.set_output(0, to_narrow(x, to));
  dispatch_native(to, place, [&]<typename To>() {
    Tensor& y = context.allocate(0, to, x.dims());
    dispatch_native(x.type(), place, [&]<typename From>() { convert<From, To>(x, y); });
  });
}

DataType target_type(const Node& node) {
  return static_cast<DataType>(node.int_attribute("to", 0));
}

}  // namespace

void cast_shape(const ShapeContext& context) {
  context.set_type(0, target_type(context.node));
  if (const Shape* shape = context.shape(0)) context.set(0, DataType::kUndefined, *shape);
}

std::unique_ptr<Kernel> cast_kernel(const Node& node, int64_t) {
  check_arity(node, 1);
  return make_kernel([to = target_type(node), place = node.place()](KernelContext& context) {
    run_cast(context, to, place);
  });
}

}  // namespace limbeck
