// Clip passes the gradient where it does not clip; what it clips counts for the limit.
#include "lib/ops/common.h"
#include "lib/ops/gradient_rows.h"

namespace limbeck {
namespace {

template <typename T>
void set_limit_gradient(GradientContext& context, size_t limit, double sum) {
  if (!context.wants(limit)) return;
  context.allocate(limit).mutable_as<T>()[0] = static_cast<T>(sum);
}

/// The output tells what was clipped: it differs from x exactly there.
template <typename T>
void run_clip(GradientContext& context, const std::string& place) {
  const auto x = typed<T>(context.input(0), place);
  const auto y = typed<T>(context.output(0), place);
  const auto from = context.dy().as<T>();
  std::vector<T> dx(x.size());
  double below = 0;
  double above = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    dx[i] = x[i] == y[i] ? from[i] : T{0};
    if (x[i] < y[i]) below += static_cast<double>(from[i]);
    if (x[i] > y[i]) above += static_cast<double>(from[i]);
  }
  if (context.wants(0)) context.set_gradient(0, Tensor::from<T>(context.dims(0), dx));
  set_limit_gradient<T>(context, 1, below);
  set_limit_gradient<T>(context, 2, above);
}

}  // namespace

std::unique_ptr<Gradient> clip_gradient(const Node& node, int64_t) {
  check_arity(node, 1);
  return make_gradient({.inputs = GradientReads::slot(0), .outputs = GradientReads::slot(0)},
                       [place = node.place()](GradientContext& context) {
                         dispatch<float, double>(context.dy().type(), place, [&]<typename T>() {
                           run_clip<T>(context, place);
                         });
                       });
}

}  // namespace limbeck
