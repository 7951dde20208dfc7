// A cast between floating types passes the gradient on in the input's type.
#include "lib/ops/common.h"
#include "lib/ops/gradient_rows.h"

namespace limbeck {
namespace {

template <typename From, typename To>
Tensor converted(const Tensor& x) {
  Tensor y = Tensor::allocate(data_type_of<To>(), x.dims());
  const auto source = x.as<From>();
  auto target = y.template mutable_as<To>();
  for (size_t i = 0; i < source.size(); ++i) target[i] = static_cast<To>(source[i]);
  return y;
}

}  // namespace

std::unique_ptr<Gradient> cast_gradient(const Node& node, int64_t) {
  check_arity(node, 1);
  return make_gradient({}, [place = node.place()](GradientContext& context) {
    if (!context.wants(0)) return;
    const Tensor& dy = context.dy();
    if (dy.type() == context.type(0)) return context.set_gradient(0, dy);
    dispatch<float, double>(dy.type(), place, [&]<typename From>() {
      dispatch<float, double>(context.type(0), place, [&]<typename To>() {
        context.set_gradient(0, converted<From, To>(dy));
      });
    });
  });
}

}  // namespace limbeck
