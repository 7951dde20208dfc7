#include "lib/ops/broadcast_gradient.h"
#include "lib/ops/gradient_rows.h"

namespace limbeck {

std::unique_ptr<Gradient> where_gradient(const Node& node, int64_t) {
  check_arity(node, 3);
  return make_gradient(
      {.inputs = GradientReads::slot(0)}, [place = node.place()](GradientContext& context) {
        const Tensor& dy = context.dy();
        const Tensor condition = spread_to(context.input(0), dy.dims(), place);
        const auto* chosen = raw_as<uint8_t>(condition);
        dispatch<float, double>(dy.type(), place, [&]<typename T>() {
          const auto from = dy.as<T>();
          for (const size_t branch : {size_t{1}, size_t{2}}) {
            if (!context.wants(branch)) continue;
            const bool value = branch == 1;
            context.set_gradient(branch,
                                 sum_broadcast<T>(context.dims(branch), dy.dims(), [&](size_t i) {
                                   return (chosen[i] != 0) == value ? from[i] : T{0};
                                 }));
          }
        });
      });
}

}  // namespace limbeck
