// Which channels of a graph must be cut together. Internal to lib/distill/shrink.
//
// Every position along an axis of a value carries a label. Where operators demand that two
// positions go or stay together (the channels that a residual Add adds up, the filters of a
// depthwise convolution and its inputs, the columns of a Gemm that read one flattened channel),
// their labels are tied; tied labels are one channel. This is the grouping of G. Fang et al.,
// "DepGraph: Towards Any Structural Pruning", CVPR 2023, section 3, position by position instead of
// layer by layer, so that the offsets of Concat and Split need no special case.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "lib/model/model.h"

namespace limbeck {

/// One label a position of an axis.
using Labels = std::vector<int32_t>;

/// Parameters that together make a channel: setting their slices to zero silences it.
struct ChannelGate {
  const Value* value = nullptr;  ///< the activation that it makes
  struct Parameter {
    const Value* value;
    size_t axis;
  };
  std::vector<Parameter> parameters;
  Labels labels;  ///< one a position along the axis of every parameter
};

/// A weight that reads channels along an axis.
struct ChannelReader {
  const Node* node = nullptr;
  const Value* weight = nullptr;
  size_t axis = 0;
  Labels labels;
};

/// A number in the graph that counts channels, to be rewritten after a cut.
struct ChannelNumber {
  enum class Kind {
    kGroup,    ///< the attribute `group`; one label a group
    kSplit,    ///< the size of output `position` of a Split
    kOperand,  ///< element `position` of the constant at input `slot`
  };
  Kind kind = Kind::kGroup;
  Node* node = nullptr;
  size_t slot = 0;
  size_t position = 0;
  Labels labels;
};

class ChannelMap {
 public:
  /// Null where nothing was found along the axis: it stays as it is.
  const Labels* find(const Value* value, size_t axis) const;
  bool labelled(const Value* value) const { return axes_.contains(value); }

  Labels fresh(size_t count);
  /// Fresh ones that are never cut.
  Labels fixed(size_t count, const std::string& reason);
  void tie(int32_t a, int32_t b);
  /// Both have the same length.
  void tie(const Labels& a, const Labels& b);
  /// Labels an axis; ties them to those that it has.
  void put(const Value* value, size_t axis, const Labels& labels);
  void freeze(const Labels& labels, const std::string& reason);
  /// Freezes every axis of a value; the axes of a constant even where nothing was found yet.
  void freeze(const Value* value, const std::string& reason);

  /// The label that stands for all tied ones.
  int32_t root(int32_t label) const;
  /// Why roots are never cut.
  std::unordered_map<int32_t, std::string> frozen_roots() const;

  std::vector<ChannelGate> gates;
  std::vector<ChannelReader> readers;
  std::vector<ChannelNumber> numbers;

 private:
  struct Freeze {
    int32_t label;
    size_t reason;
  };
  mutable std::vector<int32_t> parents_;
  std::unordered_map<const Value*, std::vector<Labels>> axes_;
  std::vector<Freeze> freezes_;
  std::vector<std::string> reasons_;
};

/// Walks the graph once. Shapes must be inferred. Channels that reach the model's interface, a
/// subgraph, or an operator without a rule (channel_rules.h) are frozen.
ChannelMap map_channels(const Model& model);

}  // namespace limbeck
