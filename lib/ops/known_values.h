// Small integer and float values that are known before a model runs. Internal to lib/ops.
#pragma once

#include <unordered_map>

#include "lib/ops/op.h"

namespace limbeck {

/// Constants that infer_shapes computed, such as the shape vector of Shape -> Gather -> Concat ->
/// Reshape. An unknown dimension is held as a placeholder number far below zero, so that the
/// ordinary kernels can move it.
class KnownValues {
 public:
  /// Computes the node's outputs if everything it needs is known and small. The shape rule must
  /// have run.
  void evaluate(const Node& node, const OpRow& row, int64_t opset);
  /// The fully known value, or null. Stored constants included.
  const Tensor* constant(const Value* value) const;
  /// The list of integers, with placeholders decoded; nullopt when unknown or not a list of int64.
  std::optional<Shape> shape_values(const Value* value) const;

 private:
  void evaluate_shape(const Node& node);
  bool may_run(const Node& node) const;
  const Tensor* lookup(const Value* value) const;
  int64_t encode(const Dim& dim);

  std::unordered_map<const Value*, Tensor> values_;
  std::vector<Dim> unknown_;
};

}  // namespace limbeck
