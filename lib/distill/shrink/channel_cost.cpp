#include "lib/distill/shrink/channel_cost.h"

#include <algorithm>
#include <map>
#include <set>

#include "lib/base/error.h"
#include "lib/model/analysis.h"

namespace limbeck {
namespace {

/// The stored factor of a node that multiplies; null when both are computed.
const Value* weight_of(const Node& node) {
  for (const Value* input : node.inputs()) {
    if (input != nullptr && input->constant() != nullptr && input->constant()->rank() >= 2)
      return input;
  }
  return nullptr;
}

}  // namespace

ChannelCost::ChannelCost(const Model& model, const ChannelGroups& groups, CostKind kind)
    : groups_(groups), terms_of_axis_(groups.axes.size()) {
  for (const ChannelAxis& axis : groups.axes)
    left_.push_back(static_cast<int64_t>(axis.roots.size()));
  if (kind == CostKind::kMacs) add_macs(model);
  if (kind == CostKind::kBytes) add_bytes(model);
}

void ChannelCost::add_term(double full, const Value* weight) {
  Term term{full, {}};
  for (size_t i = 0; i < groups_.axes.size(); ++i) {
    if (groups_.axes[i].value != weight) continue;
    term.axes.push_back(i);
    terms_of_axis_[i].push_back(terms_.size());
  }
  terms_.push_back(std::move(term));
  total_ += full;
}

void ChannelCost::add_macs(const Model& model) {
  std::map<std::string, int64_t> macs;
  for (const NodeCost& cost : analyse(model).costs) {
    if (cost.macs < 0) {
      throw_error(Category::kUsage, "node '" + cost.node + "' (" + cost.op_type + ")",
                  "its multiply-accumulates must be known to shrink to a share of them",
                  "a shape with open dimensions",
                  "give the dimensions of one sample, or shrink by size");
    }
    macs[cost.node] = cost.macs;
  }
  for (const auto& node : model.graph.nodes()) {
    const auto cost = macs.find(node->name());
    if (cost != macs.end()) add_term(static_cast<double>(cost->second), weight_of(*node));
  }
}

void ChannelCost::add_bytes(const Model& model) {
  for (const Value* value : model.graph.values()) {
    const Tensor* tensor = value->constant();
    if (tensor != nullptr && tensor->type() != DataType::kInt64 &&
        tensor->type() != DataType::kBool)
      add_term(static_cast<double>(tensor->bytes()), value);
  }
}

double ChannelCost::term_cost(const Term& term, const ChannelExtent& extent, int64_t count) const {
  double cost = term.full;
  for (const size_t axis : term.axes) {
    int64_t left = left_[axis];
    for (const auto& [cut, positions] : extent) left -= cut == axis ? positions * count : 0;
    cost *= static_cast<double>(left) / static_cast<double>(groups_.axes[axis].roots.size());
  }
  return cost;
}

double ChannelCost::saving(const ChannelExtent& extent, int64_t count) const {
  std::set<size_t> touched;
  for (const auto& [axis, positions] : extent)
    touched.insert(terms_of_axis_[axis].begin(), terms_of_axis_[axis].end());
  double saved = 0;
  for (const size_t term : touched)
    saved += term_cost(terms_[term], {}, 0) - term_cost(terms_[term], extent, count);
  return saved;
}

void ChannelCost::cut(const ChannelExtent& extent, int64_t count) {
  total_ -= saving(extent, count);
  for (const auto& [axis, positions] : extent) left_[axis] -= positions * count;
}

}  // namespace limbeck
