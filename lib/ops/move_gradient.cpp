// Gradients of operators that only move elements: Transpose, Slice, Pad, Tile, Expand, Gather,
// GatherElements, DepthToSpace, SpaceToDepth. The operator's own kernel moves the numbers of the
// elements; the gradient of every output element is then added where its number says it came from.
#include <numeric>

#include "lib/ops/common.h"
#include "lib/ops/gradient_rows.h"
#include "lib/ops/pad_core.h"
#include "lib/ops/rows.h"

namespace limbeck {
namespace {

/// 1, 2, 3 ... in the shape of input 0: zero is left for what comes from nowhere (padding).
Tensor element_numbers(const Dims& dims) {
  Tensor numbers = Tensor::allocate(DataType::kInt64, dims);
  auto items = numbers.mutable_as<int64_t>();
  std::iota(items.begin(), items.end(), int64_t{1});
  return numbers;
}

Tensor moved_numbers(const GradientContext& context, const Kernel& kernel, size_t parameters) {
  const Tensor numbers = element_numbers(context.dims(0));
  std::vector<const Tensor*> inputs{&numbers};
  for (size_t i = 1; i < parameters; ++i)
    inputs.push_back(context.has_input(i) ? &context.input(i) : nullptr);
  std::vector<Tensor> outputs(1);
  KernelContext moving(inputs, outputs);
  kernel.run(moving);
  return outputs[0];
}

/// Adds dy to the elements it came from; returns the sum of what came from nowhere.
template <typename T>
double scatter(const Tensor& dy, const Tensor& numbers, Tensor* dx) {
  const auto from = dy.as<T>();
  const auto source = numbers.as<int64_t>();
  double outside = 0;
  T* target = dx != nullptr ? dx->mutable_as<T>().data() : nullptr;
  for (size_t i = 0; i < from.size(); ++i) {
    if (source[i] == 0)
      outside += static_cast<double>(from[i]);
    else if (target != nullptr)
      target[source[i] - 1] += from[i];
  }
  return outside;
}

std::unique_ptr<Gradient> move_gradient(const Node& node, std::unique_ptr<Kernel> kernel) {
  return make_gradient(
      {.inputs = ~GradientReads::slot(0)},
      [moves = std::shared_ptr<const Kernel>(std::move(kernel)),
       place = node.place()](GradientContext& context) {
        if (!context.wants(0)) return;
        const Tensor numbers = moved_numbers(context, *moves, context.input_count());
        const Tensor& dy = context.dy();
        dispatch<float, double>(dy.type(), place,
                                [&]<typename T>() { scatter<T>(dy, numbers, &context.zeros(0)); });
      });
}

/// The tensor of the fill element (opset 11) takes what lies outside.
void run_pad(GradientContext& context, const Kernel& moves, const std::string& place) {
  const Tensor numbers = element_numbers(context.dims(0));
  std::vector<const Tensor*> inputs{&numbers};
  for (size_t i = 1; i < context.input_count(); ++i)
    inputs.push_back(i != 2 && context.has_input(i) ? &context.input(i) : nullptr);
  std::vector<Tensor> outputs(1);
  KernelContext moving(inputs, outputs);
  moves.run(moving);
  const Tensor& dy = context.dy();
  dispatch<float, double>(dy.type(), place, [&]<typename T>() {
    Tensor* dx = context.wants(0) ? &context.zeros(0) : nullptr;
    const double outside = scatter<T>(dy, outputs[0], dx);
    if (context.wants(2)) context.allocate(2).mutable_as<T>()[0] = static_cast<T>(outside);
  });
}

}  // namespace

std::unique_ptr<Gradient> transpose_gradient(const Node& node, int64_t opset) {
  return move_gradient(node, transpose_kernel(node, opset));
}

std::unique_ptr<Gradient> slice_gradient(const Node& node, int64_t opset) {
  return move_gradient(node, slice_kernel(node, opset));
}

std::unique_ptr<Gradient> tile_gradient(const Node& node, int64_t opset) {
  return move_gradient(node, tile_kernel(node, opset));
}

std::unique_ptr<Gradient> expand_gradient(const Node& node, int64_t opset) {
  return move_gradient(node, expand_kernel(node, opset));
}

std::unique_ptr<Gradient> gather_gradient(const Node& node, int64_t opset) {
  return move_gradient(node, gather_kernel(node, opset));
}

std::unique_ptr<Gradient> gather_elements_gradient(const Node& node, int64_t opset) {
  return move_gradient(node, gather_elements_kernel(node, opset));
}

std::unique_ptr<Gradient> depth_to_space_gradient(const Node& node, int64_t opset) {
  return move_gradient(node, depth_to_space_kernel(node, opset));
}

std::unique_ptr<Gradient> space_to_depth_gradient(const Node& node, int64_t opset) {
  return move_gradient(node, space_to_depth_kernel(node, opset));
}

std::unique_ptr<Gradient> pad_gradient(const Node& node, int64_t opset) {
  const uint64_t parameters = ~(GradientReads::slot(0) | GradientReads::slot(2));
  return make_gradient(
      {.inputs = parameters},
      [moves = std::shared_ptr<const Kernel>(make_pad(node, opset, 0)),
       place = node.place()](GradientContext& context) { run_pad(context, *moves, place); });
}

}  // namespace limbeck
