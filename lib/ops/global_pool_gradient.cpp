#include <algorithm>

#include "lib/ops/common.h"
#include "lib/ops/gradient_rows.h"

namespace limbeck {

std::unique_ptr<Gradient> global_average_pool_gradient(const Node& node, int64_t) {
  check_arity(node, 1);
  return make_gradient({}, [place = node.place()](GradientContext& context) {
    if (!context.wants(0)) return;
    const int64_t plane = product(context.dims(0), 2, context.dims(0).size());
    dispatch<float, double>(context.dy().type(), place, [&]<typename T>() {
      const auto dy = context.dy().as<T>();
      T* dx = context.allocate(0).mutable_as<T>().data();
      for (size_t i = 0; i < dy.size(); ++i)
        std::fill_n(dx + static_cast<int64_t>(i) * plane, plane, dy[i] / static_cast<T>(plane));
    });
  });
}

/// The first of equal maxima takes the gradient.
std::unique_ptr<Gradient> global_max_pool_gradient(const Node& node, int64_t) {
  check_arity(node, 1);
  return make_gradient(
      {.inputs = GradientReads::slot(0)}, [place = node.place()](GradientContext& context) {
        if (!context.wants(0)) return;
        const auto plane = at(product(context.dims(0), 2, context.dims(0).size()));
        dispatch<float, double>(context.dy().type(), place, [&]<typename T>() {
          const auto dy = context.dy().as<T>();
          const auto x = typed<T>(context.input(0), place);
          auto dx = context.zeros(0).mutable_as<T>();
          for (size_t i = 0; i < dy.size() && plane > 0; ++i) {
            const auto values = x.subspan(i * plane, plane);
            const auto best = std::max_element(values.begin(), values.end()) - values.begin();
            dx[i * plane + static_cast<size_t>(best)] = dy[i];
          }
        });
      });
}

}  // namespace limbeck
