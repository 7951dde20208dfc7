// DepthToSpace and SpaceToDepth: a transpose of the input seen with six axes.
#include <array>

#include "lib/ops/copy.h"
#include "lib/ops/rows.h"

namespace limbeck {
namespace {

constexpr int64_t kMaxBlock = int64_t{1} << 20;

int64_t block_size(const Node& node) {
  const int64_t block = node.int_attribute("blocksize", 0);
  check_model(block > 0 && block <= kMaxBlock, node.place(), "blocksize must be between 1 and 2^20",
              block);
  return block;
}

void check_rank(size_t rank, const std::string& place) {
  check_model(rank == 4, place, "the input must have rank 4; rank", static_cast<int64_t>(rank));
}

/// Copies x, seen with dimensions `dims`, so that output axis i is input axis order[i].
void permute(KernelContext& context, const Dims& dims, const std::array<size_t, 6>& order,
             Dims output, const std::string& place) {
  const Dims strides = row_strides(dims);
  Dims permuted;
  Dims source;
  for (const size_t axis : order) {
    permuted.push_back(dims[axis]);
    source.push_back(strides[axis]);
  }
  Tensor y = Tensor::allocate(context.input(0).type(), permuted);
  strided_copy(context.input(0), source, y, place);
  context.set_output(0, y.reshaped(std::move(output)));
}

void run_depth_to_space(KernelContext& context, int64_t b, bool column_first,
                        const std::string& place) {
  const Dims& d = context.input(0).dims();
  check_rank(d.size(), place);
  check_model(d[1] % (b * b) == 0, place,
              "the channels must be a multiple of blocksize squared; channels", d[1]);
  const int64_t depth = d[1] / (b * b);
  const Dims output{d[0], depth, d[2] * b, d[3] * b};
  if (column_first)
    return permute(context, {d[0], depth, b, b, d[2], d[3]}, {0, 1, 4, 2, 5, 3}, output, place);
  permute(context, {d[0], b, b, depth, d[2], d[3]}, {0, 3, 4, 1, 5, 2}, output, place);
}

void run_space_to_depth(KernelContext& context, int64_t b, const std::string& place) {
  const Dims& d = context.input(0).dims();
  check_rank(d.size(), place);
  check_model(d[2] % b == 0, place, "the height must be a multiple of blocksize; height", d[2]);
  check_model(d[3] % b == 0, place, "the width must be a multiple of blocksize; width", d[3]);
  permute(context, {d[0], d[1], d[2] / b, b, d[3] / b, b}, {0, 3, 5, 1, 2, 4},
          {d[0], d[1] * b * b, d[2] / b, d[3] / b}, place);
}

Dim scaled(const Dim& dim, int64_t times, int64_t parts) {
  return dim.known() ? Dim{dim.value * times / parts, ""} : Dim{};
}

}  // namespace

void depth_to_space_shape(const ShapeContext& context) {
  same_type_only(context);
  const Shape* input = context.shape(0);
  const int64_t b = block_size(context.node);
  if (input == nullptr) return;
  check_rank(input->size(), context.node.place());
  const Shape& d = *input;
  context.set(0, DataType::kUndefined,
              {d[0], scaled(d[1], 1, b * b), scaled(d[2], b, 1), scaled(d[3], b, 1)});
}

void space_to_depth_shape(const ShapeContext& context) {
  same_type_only(context);
  const Shape* input = context.shape(0);
  const int64_t b = block_size(context.node);
  if (input == nullptr) return;
  check_rank(input->size(), context.node.place());
  const Shape& d = *input;
  context.set(0, DataType::kUndefined,
              {d[0], scaled(d[1], b * b, 1), scaled(d[2], 1, b), scaled(d[3], 1, b)});
}

std::unique_ptr<Kernel> depth_to_space_kernel(const Node& node, int64_t) {
  check_arity(node, 1);
  const std::string mode = node.string_attribute("mode", "DCR");
  if (mode != "DCR" && mode != "CRD") fail_model(node.place(), "mode must be DCR or CRD", mode);
  return make_kernel(
      [block = block_size(node), mode, place = node.place()](KernelContext& context) {
        run_depth_to_space(context, block, mode == "CRD", place);
      });
}

std::unique_ptr<Kernel> space_to_depth_kernel(const Node& node, int64_t) {
  check_arity(node, 1);
  return make_kernel([block = block_size(node), place = node.place()](KernelContext& context) {
    run_space_to_depth(context, block, place);
  });
}

}  // namespace limbeck
