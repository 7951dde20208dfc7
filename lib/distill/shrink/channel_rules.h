// What every operator does with the channels of its inputs. Internal to lib/distill/shrink.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/distill/shrink/channel_map.h"

namespace limbeck {

struct RuleContext {
  Node& node;
  int64_t opset;
  ChannelMap& map;

  const Value* input(size_t index) const { return node.input(index); }
  const Value* output(size_t index = 0) const { return node.output(index); }
  /// Null when absent or not stored in the model.
  const Tensor* constant(size_t index) const;
  const Shape* shape(size_t index) const;  ///< null when unknown
  /// Labels of an input's axis, or fixed ones where it has none: what a weight reads.
  Labels read(const Value* value, size_t axis, int64_t count) const;
  /// Labels of a constant's axis, fresh ones where it has none: what a weight makes.
  Labels make(const Value* constant, size_t axis) const;
  /// Output axis `to` gets the labels of input axis `from`, if any.
  void pass(const Value* from, size_t from_axis, const Value* to, size_t to_axis) const;
  void pass_all(const Value* from, const Value* to) const;
  /// The axes from `first` on are mixed.
  void freeze_from(const Value* value, size_t first) const;
  void freeze_axis(const Value* value, size_t axis) const;
  std::string reason() const { return "they reach " + node.place() + ", which mixes them"; }
};

/// Ties, labels outputs and freezes what the operator mixes. Returns false, having done nothing,
/// when the node has a form that it does not know: all its inputs are then frozen.
using ChannelRule = bool (*)(const RuleContext&);

/// Null for operators without one.
ChannelRule find_channel_rule(std::string_view domain, std::string_view op_type);

/// Names of all operators that have a rule, sorted.
std::vector<std::string> channel_rule_names();

// channel_rules_weights.cpp
bool conv_channels(const RuleContext& context);
bool conv_transpose_channels(const RuleContext& context);
bool gemm_channels(const RuleContext& context);
bool matmul_channels(const RuleContext& context);
bool normalization_channels(const RuleContext& context);

// channel_rules_elementwise.cpp
bool unary_channels(const RuleContext& context);
bool broadcast_channels(const RuleContext& context);
bool pool_channels(const RuleContext& context);
bool reduce_channels(const RuleContext& context);
bool softmax_channels(const RuleContext& context);
bool shape_channels(const RuleContext& context);

// channel_rules_movement.cpp
bool transpose_channels(const RuleContext& context);
bool concat_channels(const RuleContext& context);
bool split_channels(const RuleContext& context);
bool slice_channels(const RuleContext& context);
bool pad_channels(const RuleContext& context);
bool resize_channels(const RuleContext& context);

// channel_rules_reshape.cpp
bool reshape_channels(const RuleContext& context);

/// Where element `position` of an integer list is stored: in a constant at `slot` of `reader`,
/// which is `node` itself or a Concat above it. Absent when it is computed.
struct StoredNumber {
  Node* reader;
  size_t slot;
  size_t position;
  int64_t number;
};
std::optional<StoredNumber> stored_number(Node& node, size_t slot, size_t position);

}  // namespace limbeck
