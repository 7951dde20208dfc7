// Identity and Dropout, which is the identity when a model is not trained.
#include <algorithm>

#include "lib/ops/rows.h"

namespace limbeck {
namespace {

/// Opset 12 asks by inputs; the ratio's default is one half.
bool drops(const KernelContext& context) {
  const Tensor* ratio = context.optional_input(1);
  const Tensor* training = context.optional_input(2);
  if (training == nullptr || training->count() != 1 || training->to_int64()[0] == 0) return false;
  return ratio == nullptr || ratio->count() != 1 || ratio->to_float()[0] != 0;
}

}  // namespace

std::unique_ptr<Kernel> identity_kernel(const Node& node, int64_t) {
  check_arity(node, 1);
  return make_kernel([](KernelContext& context) { context.set_output(0, context.input(0)); });
}

void dropout_shape(const ShapeContext& context) {
  same_shape(context);
  context.set_type(1, context.opset < 10 && context.input(0) != nullptr ? context.input(0)->type
                                                                        : DataType::kBool);
  if (const Shape* shape = context.shape(0)) context.set(1, DataType::kUndefined, *shape);
}

std::unique_ptr<Kernel> dropout_kernel(const Node& node, int64_t opset) {
  check_arity(node, 1);
  return make_kernel([opset, place = node.place()](KernelContext& context) {
    if (drops(context)) {
      fail_unsupported(place, "training_mode must be false, or the ratio 0", "true");
    }
    const Tensor& x = context.input(0);
    context.set_output(0, x);
    if (context.output_count() < 2) return;
    if (opset < 10) {
      auto mask = context.allocate(1, DataType::kFloat, x.dims()).mutable_as<float>();
      std::fill(mask.begin(), mask.end(), 1.0F);
    } else {
      auto mask = context.allocate(1, DataType::kBool, x.dims()).mutable_as<uint8_t>();
      std::fill(mask.begin(), mask.end(), uint8_t{1});
    }
  });
}

}  // namespace limbeck
