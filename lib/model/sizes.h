// Sizes of values for one sample. Internal to lib/model.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>

#include "lib/model/graph.h"

namespace limbeck {

/// Turns shapes with symbols into numbers of elements. Everything is absent where a dimension other
/// than the batch is unknown.
class SampleSizes {
 public:
  explicit SampleSizes(const Graph& graph);
  /// Samples in one run.
  int64_t batch() const { return batch_; }
  /// Elements of a value, the whole batch included; saturates.
  std::optional<int64_t> count(const Value* value) const;
  /// One dimension; negative axes count from the end.
  std::optional<int64_t> dim(const Value* value, int64_t axis) const;
  /// Storage of a value.
  std::optional<int64_t> bytes(const Value* value) const;

 private:
  std::optional<int64_t> resolve(const Dim& dim, bool first) const;
  std::set<std::string> batch_symbols_;
  int64_t batch_ = 1;
};

/// a * b, or the largest int64 where that overflows. Both non-negative.
int64_t saturating_product(int64_t a, int64_t b);
int64_t saturating_sum(int64_t a, int64_t b);

}  // namespace limbeck
