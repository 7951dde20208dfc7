#include "lib/quantize/passes/simplify.h"

#include <algorithm>
#include <array>

#include "lib/ops/op.h"
#include "lib/quantize/passes/passes.h"

namespace limbeck {
namespace {

using Pass = size_t (*)(Graph&, int64_t);

/// Cheap cleaning first: what it removes would hide the patterns of the later passes.
constexpr std::array<Pass, 12> kPasses = {
    constants_to_initializers,
    remove_identity,
    drop_unused_outputs,
    fold_constants,
    fold_shapes,
    fold_batch_norm,
    fold_affine,
    split_transposed_gemm,
    fold_pad,
    fuse_leaky_relu,
    fuse_hard_swish,
    merge_clips,
};

}  // namespace

void simplify(Model& model) {
  // Before IR version 4 every initializer had to be a graph input too; the passes add some that are
  // not.
  model.envelope.set_ir_version(std::max<int64_t>(model.envelope.ir_version(), 4));
  size_t rewrites = 0;
  do {
    infer_shapes(model);
    rewrites = 0;
    for (const Pass pass : kPasses) {
      rewrites += pass(model.graph, model.opset());
      model.graph.remove_dead();
    }
  } while (rewrites > 0);
}

}  // namespace limbeck
