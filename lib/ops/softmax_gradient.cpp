// Gradients of Softmax and LogSoftmax, both told by the output.
#include <cmath>

#include "lib/ops/gradient_rows.h"
#include "lib/ops/softmax.h"

namespace limbeck {
namespace {

/// Softmax: dx = y (dy - sum(y dy)). LogSoftmax: dx = dy - exp(y) sum(dy).
template <typename T>
void run_row(const T* y, const T* dy, T* dx, const SoftmaxRows& rows, bool logarithm) {
  double sum = 0;
  for (int64_t i = 0; i < rows.length * rows.inner; i += rows.inner)
    sum += static_cast<double>(logarithm ? dy[i] : dy[i] * y[i]);
  const auto total = static_cast<T>(sum);
  for (int64_t i = 0; i < rows.length * rows.inner; i += rows.inner)
    dx[i] = logarithm ? dy[i] - std::exp(y[i]) * total : y[i] * (dy[i] - total);
}

std::unique_ptr<Gradient> family_gradient(const Node& node, int64_t opset, bool logarithm) {
  check_arity(node, 1);
  const bool flattens = opset < 13;
  const int64_t axis = node.int_attribute("axis", flattens ? 1 : -1);
  return make_gradient(
      {.outputs = GradientReads::slot(0)},
      [axis, flattens, logarithm, place = node.place()](GradientContext& context) {
        if (!context.wants(0)) return;
        const SoftmaxRows rows = softmax_rows(context.dims(0), axis, flattens, place);
        dispatch<float, double>(context.dy().type(), place, [&]<typename T>() {
          const T* y = typed<T>(context.output(0), place).data();
          const T* dy = context.dy().as<T>().data();
          T* dx = context.allocate(0).mutable_as<T>().data();
          for (int64_t r = 0; r < rows.outer * rows.inner; ++r) {
            const int64_t start = r / rows.inner * rows.length * rows.inner + r % rows.inner;
            run_row(y + start, dy + start, dx + start, rows, logarithm);
          }
        });
      });
}

}  // namespace

std::unique_ptr<Gradient> softmax_gradient(const Node& node, int64_t opset) {
  return family_gradient(node, opset, false);
}

std::unique_ptr<Gradient> log_softmax_gradient(const Node& node, int64_t opset) {
  return family_gradient(node, opset, true);
}

}  // namespace limbeck
