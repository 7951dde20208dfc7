// A smaller student made from its teacher: fewer residual blocks, fewer channels, weights
// inherited.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lib/data/dataset.h"
#include "lib/distill/shrink/options.h"
#include "lib/model/model.h"

namespace limbeck {

/// Samples that importance is measured on; labels are not read.
struct ShrinkData {
  const Dataset& dataset;
  uint64_t seed = 1;  ///< which samples, and which classes are drawn for them
  int threads = 0;    ///< 0: all cores; the result does not depend on it
};

/// A node with weights, before and after.
struct ShrunkLayer {
  std::string node;
  std::string op_type;
  int64_t inputs_before = 0;  ///< channels (features) that it reads
  int64_t inputs_after = 0;
  int64_t outputs_before = 0;  ///< channels that it gives
  int64_t outputs_after = 0;   ///< 0: removed with its block
  int64_t macs_before = -1;    ///< of one sample; -1 when a shape is unknown
  int64_t macs_after = -1;
};

struct ShrunkBlock {
  std::string add;        ///< the node that joined the block to its input
  double divergence = 0;  ///< of the outputs when it went, as blocks.h measures it; 0 without data
};

struct ShrinkResult {
  Model student;
  std::vector<ShrunkLayer> layers;  ///< all of the teacher's, in order
  std::vector<ShrunkBlock> blocks;  ///< removed, in that order
  int64_t macs_before = 0;          ///< of one sample, over the nodes whose shapes are known
  int64_t macs_after = 0;
  int64_t bytes_before = 0;  ///< of all weights
  int64_t bytes_after = 0;
};

/// Removes blocks, then channels, until the share that the options ask for is met: within 3 %, on
/// either side, where the widths allow it. The student computes what the teacher computes without
/// them, on data with their means in place of the channels (mean_replacement.h); graph inputs and
/// outputs keep their names and shapes, weights keep their names. Exporters' shared constants are
/// separated and constant subexpressions folded. The same arguments give the same bytes. The
/// teacher is not changed.
///
/// Raises kUsage for options out of range and shares that cannot be reached, kUnsupported when
/// nothing can be cut (with the reasons), and as gradient importance does. Importance from
/// gradients needs `data`; without, that of weights is used.
ShrinkResult shrink(const Model& teacher, const ShrinkOptions& options,
                    const ShrinkData* data = nullptr);

}  // namespace limbeck
