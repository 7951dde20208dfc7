// Clip passes the gradient where it does not clip; what it clips counts for the limit.
#include "lib/ops/common.h"
#include "lib/ops/gradient_rows.h"

namespace limbeck {
namespace {

/// Sum of the gradient where `clipped(x, y)`.
template <typename T, typename X, typename F>
void set_limit_gradient(GradientContext& context, size_t limit, std::span<const X> x,
                        std::span<const X> y, F clipped) {
  if (!context.wants(limit)) return;
  const auto from = context.dy().as<T>();
  double sum = 0;
  for (size_t i = 0; i < x.size(); ++i)
    sum += clipped(x[i], y[i]) ? static_cast<double>(from[i]) : 0;
  context.allocate(limit).mutable_as<T>()[0] = static_cast<T>(sum);
}

/// The output tells what was clipped: it differs from x exactly there. X: T, or codes.
template <typename T, typename X>
void run_clip(GradientContext& context, const std::string& place) {
  const auto x = typed<X>(context.input(0), place);
  const auto y = typed<X>(context.output(0), place);
  set_limit_gradient<T, X>(context, 1, x, y, [](X a, X b) { return a < b; });
  set_limit_gradient<T, X>(context, 2, x, y, [](X a, X b) { return a > b; });
  if (!context.wants(0)) return;
  const T* from = context.dy().as<T>().data();
  T* dx = context.allocate(0).mutable_as<T>().data();
  for (size_t i = 0; i < x.size(); ++i) {
    const T passed = from[i];  // loaded in any case, so that the loop has no branches
    dx[i] = x[i] == y[i] ? passed : T{0};
  }
}

template <typename T>
void run_typed(GradientContext& context, const std::string& place) {
  const DataType type = context.type(0);
  if (type == DataType::kInt8) return run_clip<T, int8_t>(context, place);
  if (type == DataType::kUint8) return run_clip<T, uint8_t>(context, place);
  run_clip<T, T>(context, place);
}

}  // namespace

std::unique_ptr<Gradient> clip_gradient(const Node& node, int64_t) {
  check_arity(node, 1);
  return make_gradient({.inputs = GradientReads::slot(0), .outputs = GradientReads::slot(0)},
                       [place = node.place()](GradientContext& context) {
                         dispatch<float, double>(context.dy().type(), place, [&]<typename T>() {
                           run_typed<T>(context, place);
                         });
                       });
}

}  // namespace limbeck
