// Reductions over axes, each told by a rule. Internal to lib/ops.
#pragma once

#include "lib/ops/common.h"

namespace limbeck {

/// How one reduction differs from another. Floats accumulate in double, integers in 64 bits.
struct ReduceRule {
  double start = 0;
  double (*step)(double sum, double item) = nullptr;
  int64_t (*integer_step)(int64_t sum, int64_t item) = nullptr;  ///< null: floating point only
  double (*finish)(double sum, double count) = nullptr;          ///< null: the sum itself
};

struct ReduceAttributes {
  std::optional<std::vector<int64_t>> axes;
  bool keep = true;
  bool empty_is_identity = false;
  std::string place;
};

ReduceAttributes read_reduce(const Node& node);
/// One flag an axis: is it reduced?
std::vector<bool> reduced_axes(const std::vector<int64_t>& axes, size_t rank,
                               const ReduceAttributes& attributes);

std::unique_ptr<Kernel> reduction(const Node& node, const ReduceRule& rule);

}  // namespace limbeck
