// Gradients of operators that give the same elements other dimensions, and of Identity and Dropout.
#include "lib/ops/common.h"
#include "lib/ops/gradient_rows.h"

namespace limbeck {
namespace {

std::unique_ptr<Gradient> same_elements(const Node& node) {
  check_arity(node, 1);
  return make_gradient({}, [](GradientContext& context) {
    if (context.wants(0)) context.set_gradient(0, context.dy().reshaped(context.dims(0)));
  });
}

}  // namespace

std::unique_ptr<Gradient> identity_gradient(const Node& node, int64_t) {
  return same_elements(node);
}

std::unique_ptr<Gradient> reshape_gradient(const Node& node, int64_t) {
  return same_elements(node);
}

std::unique_ptr<Gradient> flatten_gradient(const Node& node, int64_t) {
  return same_elements(node);
}

std::unique_ptr<Gradient> squeeze_gradient(const Node& node, int64_t) {
  return same_elements(node);
}

std::unique_ptr<Gradient> unsqueeze_gradient(const Node& node, int64_t) {
  return same_elements(node);
}

/// The inference form, which is the identity; lib/ops/dropout_training.h has the other one. Its
/// mask is an output that nothing differentiates.
std::unique_ptr<Gradient> dropout_gradient(const Node& node, int64_t) {
  return same_elements(node);
}

}  // namespace limbeck
