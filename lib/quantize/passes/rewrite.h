// What the passes share: safe replacement of values, and matching of constants.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "lib/model/graph.h"

namespace limbeck {

/// The nodes in order, for passes that change the graph while they walk it.
std::vector<Node*> snapshot(const Graph& graph);

/// An operator of the default domain.
bool is_op(const Node* node, std::string_view op_type);

/// Exactly one node reads the value, and neither the graph's interface nor a subgraph does.
bool is_private(const Value* value);

/// May `to` stand in for `from` under the name of `to`? (No captured value, no renamed graph input
/// or weight.)
bool can_bypass(const Value* from, const Value* to);
/// Readers of `from` read `to`; the producer of `from` is removed. A graph output keeps its name.
void bypass(Graph& graph, Value* from, Value* to);

/// May `to` take the place and the name of `from`?
bool can_take_over(const Value* from, const Value* to);
/// Readers of `from` read `to`, which takes over name, type and shape; the producer of `from` is
/// removed.
void take_over(Graph& graph, Value* from, Value* to);

/// The float constant of an input, or null: the input is left out, computed, or of another type.
const Tensor* float_constant(const Node& node, size_t index);

/// The value of a one-element numeric constant that does not raise the rank of what it is combined
/// with: a scalar, or any one-element tensor of at most `rank` dimensions.
std::optional<float> scalar_constant(const Value* value, size_t rank = 1);

/// Input `index` of `node` becomes this constant: in place when the node alone reads the
/// initializer, else as a new one. `name` is used for an input that was left out.
void set_constant_input(Graph& graph, Node* node, size_t index, Tensor tensor,
                        const std::string& name);

/// The bounds of a Clip; infinite where there is none.
struct ClipBounds {
  float low;
  float high;
};
/// Absent when a bound is computed at run time or is not float.
std::optional<ClipBounds> clip_bounds(const Node& node, int64_t opset);

}  // namespace limbeck
