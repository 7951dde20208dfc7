#include "lib/distill/shrink/choose_channels.h"

#include <algorithm>
#include <cmath>

namespace limbeck {
namespace {

/// The channels of a group from the least important on, and how many of them are gone.
struct Queue {
  const ChannelGroup* group;
  std::vector<std::pair<double, int32_t>> order;
  size_t gone = 0;
  size_t most = 0;  ///< may go

  /// So many go at once that what stays is a multiple.
  size_t step(size_t multiple) const {
    const size_t rest = (order.size() - gone) % multiple;
    return rest == 0 ? multiple : rest;
  }
  double importance(size_t count) const {
    double sum = 0;
    for (size_t i = gone; i < gone + count; ++i) sum += order[i].first;
    return sum;
  }
};

Queue queue_of(const ChannelGroup& group, const ChannelImportance& importance,
               const ShrinkOptions& options) {
  Queue queue{&group, {}, 0, 0};
  for (const int32_t channel : group.channels)
    queue.order.emplace_back(importance.at(channel), channel);
  std::stable_sort(queue.order.begin(), queue.order.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  const double kept =
      std::max({static_cast<double>(options.min_channels), static_cast<double>(options.multiple),
                std::ceil(options.min_share * static_cast<double>(group.before)), 1.0});
  queue.most = static_cast<size_t>(std::max(0.0, static_cast<double>(queue.order.size()) - kept));
  return queue;
}

struct Candidate {
  Queue* queue;
  size_t count;
  double saving;
  double score;
};

std::vector<Candidate> candidates_of(std::vector<Queue>& queues, const ChannelCost& cost,
                                     size_t multiple) {
  std::vector<Candidate> candidates;
  for (Queue& queue : queues) {
    const size_t count = queue.step(multiple);
    if (queue.gone + count > queue.most) continue;
    const double saving = cost.saving(queue.group->extent, static_cast<int64_t>(count));
    if (saving > 0) candidates.push_back({&queue, count, saving, queue.importance(count) / saving});
  }
  return candidates;
}

/// The best that fits into what remains to be saved, else the smallest. Null when there is none.
const Candidate* best_of(const std::vector<Candidate>& candidates, double remaining) {
  const Candidate* best = nullptr;
  const Candidate* smallest = nullptr;
  for (const Candidate& candidate : candidates) {
    if (smallest == nullptr || candidate.saving < smallest->saving) smallest = &candidate;
    if (candidate.saving > remaining) continue;
    if (best == nullptr || candidate.score < best->score) best = &candidate;
  }
  return best != nullptr ? best : smallest;
}

}  // namespace

ChannelChoice choose_channels(const ChannelGroups& groups, const ChannelImportance& importance,
                              const ShrinkOptions& options, double target, ChannelCost cost) {
  constexpr double kSlack = 0.005;
  constexpr double kNearEnough = 0.03;
  const double slack = kSlack * cost.total();
  std::vector<Queue> queues;
  for (const ChannelGroup& group : groups.groups)
    queues.push_back(queue_of(group, importance, options));
  ChannelChoice choice;
  while (cost.total() > target) {
    const double above = cost.total() - target;
    const auto candidates = candidates_of(queues, cost, static_cast<size_t>(options.multiple));
    const Candidate* best = best_of(candidates, above + slack);
    if (best == nullptr) break;
    const double below = best->saving - above;
    if (above <= kNearEnough * target && below > kNearEnough * target) break;
    for (size_t i = 0; i < best->count; ++i)
      choice.channels.insert(best->queue->order[best->queue->gone + i].second);
    best->queue->gone += best->count;
    cost.cut(best->queue->group->extent, static_cast<int64_t>(best->count));
  }
  choice.cost = cost.total();
  return choice;
}

}  // namespace limbeck
