// What a model costs while channels are being cut. Internal to lib/distill/shrink.
#pragma once

#include <vector>

#include "lib/distill/shrink/channel_groups.h"

namespace limbeck {

enum class CostKind { kMacs, kBytes };

/// The cost is a sum of terms, each proportional to the positions left along some axes: the
/// multiply-accumulates of a node to those of its weight, the bytes of a weight to its own.
class ChannelCost {
 public:
  /// Shapes of the model must be known but for the batch. Raises kUsage when they are not and MACs
  /// are counted. Keeps references to both.
  ChannelCost(const Model& model, const ChannelGroups& groups, CostKind kind);

  double total() const { return total_; }
  /// What cutting `count` more channels of this extent would save.
  double saving(const ChannelExtent& extent, int64_t count) const;
  void cut(const ChannelExtent& extent, int64_t count);

 private:
  struct Term {
    double full = 0;
    std::vector<size_t> axes;
  };
  double term_cost(const Term& term, const ChannelExtent& extent, int64_t count) const;
  void add_macs(const Model& model);
  void add_bytes(const Model& model);
  void add_term(double full, const Value* weight);

  const ChannelGroups& groups_;
  std::vector<Term> terms_;
  std::vector<std::vector<size_t>> terms_of_axis_;
  std::vector<int64_t> left_;  ///< positions of every axis
  double total_ = 0;
};

}  // namespace limbeck
