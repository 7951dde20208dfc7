// Recognises functions of one tensor, also where an exporter has spelled them out in several nodes.
#pragma once

#include <optional>
#include <vector>

#include "lib/engine/post_op.h"
#include "lib/engine/scope.h"

namespace limbeck {

struct UnaryMatch {
  std::vector<Unary> functions;  ///< applied in order; empty for Identity
  const Value* input = nullptr;
  size_t uses = 1;  ///< how many readers of the input the pattern accounts for
};

/// The functions that `node` computes from one float tensor, or nothing.
std::optional<UnaryMatch> match_unary(const Scope& scope, const Node& node);

/// Appends `function`, merging neighbouring linear functions and dropping those that change
/// nothing.
void append_function(std::vector<Unary>& functions, const Unary& function);

/// The constant of input `index` when it holds a single element.
std::optional<float> scalar_constant(const Scope& scope, const Node& node, size_t index);

}  // namespace limbeck
