#include "lib/distill/shrink/narrow.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "lib/base/error.h"
#include "lib/base/format.h"
#include "lib/distill/shrink/channel_importance.h"
#include "lib/distill/shrink/cut_channels.h"
#include "lib/distill/shrink/mean_replacement.h"
#include "lib/distill/shrink/normalizations.h"

namespace limbeck {
namespace {

[[noreturn]] void fail_nothing_to_cut(const ChannelMap& map) {
  constexpr size_t kShown = 3;
  const auto frozen = map.frozen_roots();
  std::string reasons;
  for (size_t i = 0; i < std::min(map.gates.size(), kShown); ++i) {
    const ChannelGate& gate = map.gates[i];
    const auto reason = frozen.find(map.root(gate.labels.front()));
    if (reason == frozen.end()) continue;
    reasons += (reasons.empty() ? "" : "; ") + std::string("the channels of '") +
               gate.value->name() + "' stay because " + reason->second;
  }
  throw_error(Category::kUnsupported, "shrink", "the model must have channels that can be cut",
              reasons.empty() ? "no float layer with stored weights" : reasons,
              "bring a student of your own, or quantize the teacher");
}

[[noreturn]] void fail_target(double cost, double target, double full) {
  throw_error(Category::kUsage, "shrink",
              "channels alone must reach the target with what every layer keeps (min_share, "
              "min_channels, multiple)",
              "a least cost of " + fixed(100 * cost / full, 1) + " % of that before, " +
                  fixed(100 * target / full, 1) + " % wanted",
              "raise the share that stays, or lower what every layer keeps");
}

/// How wide groups were before the first round, by the weights that they take part in.
class FirstWidths {
 public:
  void apply(ChannelGroups& groups) {
    for (ChannelGroup& group : groups.groups)
      group.before = widths_.emplace(key_of(groups, group), group.before).first->second;
  }

 private:
  using Key = std::vector<std::tuple<std::string, size_t, int64_t>>;
  static Key key_of(const ChannelGroups& groups, const ChannelGroup& group) {
    Key key;
    for (const auto& [axis, positions] : group.extent)
      key.emplace_back(groups.axes[axis].value->name(), groups.axes[axis].axis, positions);
    return key;
  }
  std::map<Key, size_t> widths_;
};

}  // namespace

void narrow(Model& model, const ShrinkOptions& options, const ShrinkData* data, double target) {
  constexpr double kRound = 0.1;
  const bool on_data = data != nullptr && options.importance == ImportanceSource::kGradients;
  FirstWidths widths;
  double full = 0;
  for (uint64_t round = 0;; ++round) {
    const ChannelMap map = map_channels(model);
    ChannelGroups groups = group_channels(model, map);
    widths.apply(groups);
    const ChannelCost cost(model, groups, options.macs ? CostKind::kMacs : CostKind::kBytes);
    if (round == 0) full = cost.total();
    if (cost.total() <= target) return;
    if (groups.groups.empty()) fail_nothing_to_cut(map);
    const double goal = on_data ? std::max(target, cost.total() - kRound * full) : target;
    const ChannelImportance importance =
        on_data ? gradient_importance(model, map, groups,
                                      {data->dataset, data->seed + round, data->threads},
                                      options.samples)
                : weight_importance(map, groups);
    const ChannelChoice choice = choose_channels(groups, importance, options, goal, cost);
    std::vector<LostMean> means;
    if (data != nullptr) means = lost_means(model, map, choice.channels, *data, options.samples);
    cut_channels(model, map, groups, choice.channels);
    restore_means(model, means);
    if (data != nullptr) measure_statistics(model, *data, options.samples);
    if (goal > target && !choice.channels.empty()) continue;
    constexpr double kNearEnough = 0.03;
    if (choice.cost > target * (1 + kNearEnough)) fail_target(choice.cost, target, full);
    return;
  }
}

}  // namespace limbeck
