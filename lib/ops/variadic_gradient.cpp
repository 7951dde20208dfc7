// Gradients of Min, Max, Sum, Mean. Among equal extremes the first operand takes the gradient.
#include "lib/ops/broadcast_gradient.h"
#include "lib/ops/gradient_rows.h"

namespace limbeck {
namespace {

/// d(output) / d(operand) is the same number everywhere.
std::unique_ptr<Gradient> linear_gradient(const Node& node, double factor) {
  return make_gradient({}, [factor, place = node.place()](GradientContext& context) {
    const Tensor& dy = context.dy();
    for (size_t i = 0; i < context.input_count(); ++i) {
      if (!context.wants(i)) continue;
      if (factor == 1.0) {
        context.set_gradient(i, reduce_to(dy, context.dims(i), place));
        continue;
      }
      dispatch<float, double>(dy.type(), place, [&]<typename T>() {
        const auto from = dy.as<T>();
        context.set_gradient(i, sum_broadcast<T>(context.dims(i), dy.dims(), [&](size_t k) {
                               return static_cast<T>(factor) * from[k];
                             }));
      });
    }
  });
}

/// Clears the flags of positions that an operand has taken, and hands it their gradient.
template <typename T>
void take_extremes(GradientContext& context, const std::string& place) {
  const Tensor& dy = context.dy();
  const auto from = dy.as<T>();
  const auto y = context.output(0).as<T>();
  std::vector<uint8_t> open(y.size(), 1);
  for (size_t i = 0; i < context.input_count(); ++i) {
    const Tensor operand = spread_to(context.input(i), dy.dims(), place);
    const auto x = typed<T>(operand, place);
    std::vector<uint8_t> mine(y.size(), 0);
    for (size_t k = 0; k < y.size(); ++k) {
      mine[k] = open[k] != 0 && x[k] == y[k] ? 1 : 0;
      if (mine[k] != 0) open[k] = 0;
    }
    if (!context.wants(i)) continue;
    context.set_gradient(i, sum_broadcast<T>(context.dims(i), dy.dims(), [&](size_t k) {
                           return mine[k] != 0 ? from[k] : T{0};
                         }));
  }
}

std::unique_ptr<Gradient> extreme_gradient(const Node& node) {
  return make_gradient({.inputs = GradientReads::kAll, .outputs = GradientReads::slot(0)},
                       [place = node.place()](GradientContext& context) {
                         dispatch<float, double>(context.dy().type(), place, [&]<typename T>() {
                           take_extremes<T>(context, place);
                         });
                       });
}

}  // namespace

std::unique_ptr<Gradient> max_gradient(const Node& node, int64_t) { return extreme_gradient(node); }

std::unique_ptr<Gradient> min_gradient(const Node& node, int64_t) { return extreme_gradient(node); }

std::unique_ptr<Gradient> sum_gradient(const Node& node, int64_t) {
  return linear_gradient(node, 1);
}

std::unique_ptr<Gradient> mean_gradient(const Node& node, int64_t) {
  check_arity(node, 1);
  return linear_gradient(node, 1.0 / static_cast<double>(node.inputs().size()));
}

}  // namespace limbeck
