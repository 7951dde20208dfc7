#include "lib/ops/softmax.h"

#include <cmath>
#include <limits>

#include "lib/ops/numbers.h"
#include "lib/ops/rows.h"

namespace limbeck {
namespace {

template <typename T>
void softmax_row(const T* x, T* y, int64_t length, int64_t step, bool logarithm) {
  T largest = -std::numeric_limits<T>::infinity();
  for (int64_t i = 0; i < length; ++i) largest = larger(largest, x[i * step]);
  double sum = 0;
  for (int64_t i = 0; i < length; ++i) {
    const T item = std::exp(x[i * step] - largest);
    if (!logarithm) y[i * step] = item;
    sum += static_cast<double>(item);
  }
  const T total = static_cast<T>(logarithm ? std::log(sum) : sum);
  for (int64_t i = 0; i < length; ++i) {
    y[i * step] = logarithm ? x[i * step] - largest - total : y[i * step] / total;
  }
}

template <typename T>
void run_softmax(KernelContext& context, const SoftmaxRows& rows, bool logarithm) {
  const Tensor& x = context.input(0);
  const T* source = x.as<T>().data();
  T* target = context.allocate(0, x.type(), x.dims()).template mutable_as<T>().data();
  for (int64_t o = 0; o < rows.outer; ++o) {
    for (int64_t i = 0; i < rows.inner; ++i) {
      const int64_t start = o * rows.length * rows.inner + i;
      softmax_row(source + start, target + start, rows.length, rows.inner, logarithm);
    }
  }
}

std::unique_ptr<Kernel> softmax_family(const Node& node, int64_t opset, bool logarithm) {
  check_arity(node, 1);
  const bool flattens = opset < 13;
  const int64_t axis = node.int_attribute("axis", flattens ? 1 : -1);
  return make_kernel([axis, flattens, logarithm, place = node.place()](KernelContext& context) {
    const SoftmaxRows rows = softmax_rows(context.input(0).dims(), axis, flattens, place);
    dispatch<float, double>(context.input(0).type(), place,
                            [&]<typename T>() { run_softmax<T>(context, rows, logarithm); });
  });
}

}  // namespace

SoftmaxRows softmax_rows(const Dims& dims, int64_t axis_attribute, bool flattens,
                         const std::string& place) {
  const size_t axis = normal_axis(axis_attribute, dims.size(), place);
  if (flattens) return {product(dims, 0, axis), product(dims, axis, dims.size()), 1};
  return {product(dims, 0, axis), dims[axis], product(dims, axis + 1, dims.size())};
}

std::unique_ptr<Kernel> softmax_kernel(const Node& node, int64_t opset) {
  return softmax_family(node, opset, false);
}

std::unique_ptr<Kernel> log_softmax_kernel(const Node& node, int64_t opset) {
  return softmax_family(node, opset, true);
}

}  // namespace limbeck
