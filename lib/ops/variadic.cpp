// Elementwise functions of any number of inputs: Min, Max, Sum, Mean.
#include "lib/ops/broadcast.h"
#include "lib/ops/half.h"
#include "lib/ops/numbers.h"
#include "lib/ops/rows.h"

namespace limbeck {
namespace {

template <typename T, typename F>
Tensor fold(KernelContext& context, const std::string& place, F function) {
  Tensor result = context.input(0);
  for (size_t i = 1; i < context.input_count(); ++i) {
    const Tensor& next = context.input(i);
    typed<T>(next, place);
    Tensor merged =
        Tensor::allocate(result.type(), broadcast_dims(result.dims(), next.dims(), place));
    apply_broadcast<T, T>(result, next, merged, merged.mutable_as<T>().data(),
                          [&](T x, T y) { return function(x, y); });
    result = std::move(merged);
  }
  return result;
}

template <typename F>
std::unique_ptr<Kernel> variadic(const Node& node, F function) {
  check_arity(node, std::max<size_t>(node.inputs().size(), 1));
  return make_kernel([function, place = node.place()](KernelContext& context) {
    const auto run = [&](KernelContext& plain) {
      dispatch_numeric(plain.input(0).type(), place,
                       [&]<typename T>() { plain.set_output(0, fold<T>(plain, place, function)); });
    };
    if (context.input(0).type() == DataType::kFloat16) return run_in_float(context, run);
    run(context);
  });
}

}  // namespace

std::unique_ptr<Kernel> max_kernel(const Node& node, int64_t) {
  return variadic(node, []<typename T>(T x, T y) { return larger(x, y); });
}

std::unique_ptr<Kernel> min_kernel(const Node& node, int64_t) {
  return variadic(node, []<typename T>(T x, T y) { return smaller(x, y); });
}

std::unique_ptr<Kernel> sum_kernel(const Node& node, int64_t) {
  return variadic(node, []<typename T>(T x, T y) { return wrapping_add(x, y); });
}

std::unique_ptr<Kernel> mean_kernel(const Node& node, int64_t) {
  check_arity(node, std::max<size_t>(node.inputs().size(), 1));
  return make_kernel([place = node.place()](KernelContext& context) {
    dispatch<float, double>(context.input(0).type(), place, [&]<typename T>() {
      Tensor result = fold<T>(context, place, [](T x, T y) { return x + y; }).clone();
      for (T& item : result.mutable_as<T>()) item /= static_cast<T>(context.input_count());
      context.set_output(0, std::move(result));
    });
  });
}

}  // namespace limbeck
