#include <algorithm>

#include "lib/base/error.h"
#include "lib/base/format.h"
#include "lib/distill/student.h"

namespace limbeck {

void Student::fit_memory(std::span<const Tensor> inputs, int64_t bytes) {
  const std::vector<Tensor> parameters = initial_parameters();
  const size_t nodes = model_.graph.nodes().size();
  int64_t least = 0;
  // Doubling is close enough: what a pass keeps falls slowly beyond the root of the nodes.
  for (size_t segments = 1; segments <= std::max<size_t>(nodes, 1); segments *= 2) {
    options_.segments = segments;
    tape_ = Tape::compile(model_, options_);
    const auto kept = static_cast<int64_t>(tape_->forward(parameters, inputs, 0).held_bytes);
    if (kept <= bytes) return;
    least = segments == 1 ? kept : std::min(least, kept);
  }
  throw_error(
      Category::kUsage, "--memory-budget",
      "one pass over a shard must fit into its part of the budget, " + readable_bytes(bytes),
      "at least " + readable_bytes(least),
      "raise the budget, use fewer threads, or more shards or a smaller batch in the recipe");
}

}  // namespace limbeck
