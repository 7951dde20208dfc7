// Gradients of Concat and Split, each the other's operation.
#include <cstring>

#include "lib/ops/common.h"
#include "lib/ops/gradient_rows.h"

namespace limbeck {
namespace {

/// Bytes of one piece of a tensor cut along an axis.
size_t chunk_bytes(const Dims& dims, size_t axis, DataType type) {
  return storage_bytes(type, at(product(dims, axis, dims.size())));
}

void run_concat(GradientContext& context, int64_t axis_attribute, const std::string& place) {
  const Tensor& dy = context.dy();
  const size_t axis = normal_axis(axis_attribute, dy.rank(), place);
  const size_t row = chunk_bytes(dy.dims(), axis, dy.type());
  const auto outer = at(product(dy.dims(), 0, axis));
  size_t start = 0;
  for (size_t i = 0; i < context.input_count(); ++i) {
    const size_t chunk = chunk_bytes(context.dims(i), axis, dy.type());
    if (context.wants(i)) {
      std::byte* target = context.allocate(i).mutable_raw();
      for (size_t o = 0; o < outer && chunk > 0; ++o)
        std::memcpy(target + o * chunk, dy.raw() + o * row + start, chunk);
    }
    start += chunk;
  }
}

void run_split(GradientContext& context, int64_t axis_attribute, const std::string& place) {
  if (!context.wants(0)) return;
  Tensor& dx = context.zeros(0);
  const size_t axis = normal_axis(axis_attribute, dx.rank(), place);
  const size_t row = chunk_bytes(dx.dims(), axis, dx.type());
  const auto outer = at(product(dx.dims(), 0, axis));
  std::byte* target = dx.mutable_raw();
  size_t start = 0;
  for (size_t i = 0; i < context.output_count(); ++i) {
    const size_t chunk = chunk_bytes(context.output_dims(i), axis, dx.type());
    const Tensor* part = context.output_gradient(i);
    for (size_t o = 0; o < outer && chunk > 0 && part != nullptr; ++o)
      std::memcpy(target + o * row + start, part->raw() + o * chunk, chunk);
    start += chunk;
  }
}

}  // namespace

std::unique_ptr<Gradient> concat_gradient(const Node& node, int64_t) {
  return make_gradient({}, [axis = node.int_attribute("axis", 0), place = node.place()](
                               GradientContext& context) { run_concat(context, axis, place); });
}

std::unique_ptr<Gradient> split_gradient(const Node& node, int64_t) {
  check_arity(node, 1);
  return make_gradient({}, [axis = node.int_attribute("axis", 0), place = node.place()](
                               GradientContext& context) { run_split(context, axis, place); });
}

}  // namespace limbeck
