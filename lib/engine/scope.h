// What the pattern matchers may ask about the graph that is being compiled.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "lib/engine/step.h"
#include "lib/model/model.h"

namespace limbeck {

/// Read-only view of a model with constants folded. Lives while a model is compiled.
class Scope {
 public:
  /// `wanted` holds the graph outputs and taps: values that must not be fused away. `fold`:
  /// evaluate nodes whose inputs are all constant.
  Scope(const Model& model, std::set<const Value*> wanted, bool fold);

  /// The constant that the value always holds, or null. A dequantized weight is computed at the
  /// first question.
  const Tensor* constant(const Value* value) const;
  /// True when the value may vanish inside a fused step: it has exactly `uses` readers and nobody
  /// else asks for it.
  bool is_inner(const Value* value, size_t uses = 1) const;
  /// The producer of `value` when it is `op_type` of the default domain, else null.
  const Node* producer(const Value* value, std::string_view op_type) const;
  int64_t opset(const std::string& domain = "") const { return model_.opset(domain); }
  const std::set<const Value*>& wanted() const { return wanted_; }

 private:
  void fold_node(const Node& node) const;

  const Model& model_;
  std::set<const Value*> wanted_;
  /// Null marks a DequantizeLinear of constants that nobody has asked for yet.
  mutable std::unordered_map<const Value*, std::optional<Tensor>> folded_;
};

/// An input of a step: a value of the graph, or a constant made by the matcher; both empty for one
/// left out.
struct Operand {
  Operand() = default;
  Operand(const Value* graph_value)
      : value(graph_value) {}  // NOLINT(google-explicit-constructor): reads as a value
  explicit Operand(Tensor tensor) : constant(std::move(tensor)) {}
  const Value* value = nullptr;
  Tensor constant;
};

/// What a matcher answers: one step that computes the outputs of the node it was asked about.
struct Selection {
  std::unique_ptr<StepKernel> kernel;
  std::vector<Operand> inputs;
  /// The Conv, Gemm or MatMul inside, if any.
  const Node* weighted = nullptr;
  bool integer = false;
};

/// Answers for `tail`, a node with one output that somebody reads; nothing when the pattern is
/// absent.
using Matcher = std::optional<Selection> (*)(const Scope& scope, const Node& tail);

}  // namespace limbeck
