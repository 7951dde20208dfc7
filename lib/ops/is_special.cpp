// IsNaN and IsInf.
#include <cmath>

#include "lib/ops/rows.h"

namespace limbeck {
namespace {

template <typename F>
std::unique_ptr<Kernel> float_predicate(const Node& node, F function) {
  check_arity(node, 1);
  return make_kernel([function, place = node.place()](KernelContext& context) {
    const Tensor& x = context.input(0);
    auto target = context.allocate(0, DataType::kBool, x.dims()).mutable_as<uint8_t>();
    dispatch<float, double>(x.type(), place, [&]<typename T>() {
      const auto source = x.as<T>();
      for (size_t i = 0; i < source.size(); ++i) target[i] = function(source[i]) ? 1 : 0;
    });
  });
}

}  // namespace

std::unique_ptr<Kernel> is_nan_kernel(const Node& node, int64_t) {
  return float_predicate(node, [](auto x) { return std::isnan(x); });
}

std::unique_ptr<Kernel> is_inf_kernel(const Node& node, int64_t) {
  const bool positive = node.int_attribute("detect_positive", 1) != 0;
  const bool negative = node.int_attribute("detect_negative", 1) != 0;
  return float_predicate(node,
                         [=](auto x) { return std::isinf(x) && (x > 0 ? positive : negative); });
}

}  // namespace limbeck
