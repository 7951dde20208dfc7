#include <limits>

#include "lib/ops/numbers.h"
#include "lib/ops/rows.h"

namespace limbeck {
namespace {

template <typename T>
T limit(const KernelContext& context, size_t index, T fallback, const std::string& place) {
  const Tensor* tensor = context.optional_input(index);
  if (tensor == nullptr) return fallback;
  check_model(tensor->count() == 1, place, "min and max must be scalars; items", tensor->count());
  return typed<T>(*tensor, place)[0];
}

template <typename T>
void run_clip(KernelContext& context, T low, T high) {
  const Tensor& x = context.input(0);
  const auto source = x.as<T>();
  auto target = context.allocate(0, x.type(), x.dims()).template mutable_as<T>();
  for (size_t i = 0; i < source.size(); ++i) {
    const T raised = source[i] < low ? low : source[i];
    target[i] = high < raised ? high : raised;
  }
}

}  // namespace

std::unique_ptr<Kernel> clip_kernel(const Node& node, int64_t opset) {
  check_arity(node, 1);
  if (opset < 11) {
    const float low = node.float_attribute("min", std::numeric_limits<float>::lowest());
    const float high = node.float_attribute("max", std::numeric_limits<float>::max());
    return make_kernel([low, high, place = node.place()](KernelContext& context) {
      dispatch<float, double>(context.input(0).type(), place, [&]<typename T>() {
        run_clip<T>(context, static_cast<T>(low), static_cast<T>(high));
      });
    });
  }
  return make_kernel([place = node.place()](KernelContext& context) {
    dispatch_numeric(context.input(0).type(), place, [&]<typename T>() {
      const T low = limit<T>(context, 1, std::numeric_limits<T>::lowest(), place);
      run_clip<T>(context, low, limit<T>(context, 2, std::numeric_limits<T>::max(), place));
    });
  });
}

}  // namespace limbeck
