// When tensors of a pass die.
#include <algorithm>

#include "lib/autodiff/program.h"

namespace limbeck {
namespace {

constexpr size_t kLeaf = ~size_t{0};

class Planner {
 public:
  Planner(Tape::Program& program, const std::vector<int64_t>& sizes)
      : program_(program), sizes_(sizes), segment_of_(program.slots, kLeaf) {}

  void run(size_t segments) {
    cut(segments);
    for (size_t s = 0; s < program_.segments.size(); ++s) find_deaths(s);
    find_crossings();
    find_backward_deaths();
  }

 private:
  /// Elements that are kept for the backward steps, counted at the node that reads them first.
  std::vector<int64_t> kept_sizes() const {
    std::vector<uint8_t> counted(program_.slots, 0);
    std::vector<int64_t> sizes;
    for (const TapeNode& node : program_.nodes) {
      sizes.push_back(1);
      for_each_read(node, [&](Slot slot) {
        if (counted[slot] == 0) sizes.back() += sizes_[slot];
        counted[slot] = 1;
      });
    }
    return sizes;
  }

  void cut(size_t segments) {
    const std::vector<int64_t> sizes = kept_sizes();
    int64_t total = 0;
    for (const int64_t size : sizes) total += size;
    const auto wanted = static_cast<int64_t>(std::max<size_t>(1, segments));
    int64_t sum = 0;
    Segment segment;
    for (size_t n = 0; n < sizes.size(); ++n) {
      sum += sizes[n];
      segment.last = n + 1;
      const auto made = static_cast<int64_t>(program_.segments.size()) + 1;
      const bool full = made < wanted && sum * wanted >= total * made;
      if (!full && n + 1 < sizes.size()) continue;
      program_.segments.push_back(segment);
      segment = {n + 1, n + 1, {}};
    }
    for (size_t s = 0; s < program_.segments.size(); ++s) {
      for (size_t n = program_.segments[s].first; n < program_.segments[s].last; ++n)
        for (const Slot slot : program_.nodes[n].outputs)
          if (slot != kNoSlot) segment_of_[slot] = s;
    }
  }

  /// Tensors that are made in the segment die in it, unless a later segment reads them.
  void find_deaths(size_t s) {
    const Segment& segment = program_.segments[s];
    std::vector<uint8_t> kept(program_.slots, 0);
    for (size_t n = segment.first; n < segment.last; ++n)
      for_each_read(program_.nodes[n], [&](Slot slot) { kept[slot] = 1; });
    std::vector<uint8_t> crosses(program_.slots, 0);
    for (size_t n = segment.last; n < program_.nodes.size(); ++n)
      for (const Slot slot : program_.nodes[n].inputs)
        if (slot != kNoSlot) crosses[slot] = 1;
    std::vector<uint8_t> seen(program_.slots, 0);
    for (size_t n = segment.last; n-- > segment.first;) {
      TapeNode& node = program_.nodes[n];
      const auto last_use = [&](Slot slot) {
        if (slot == kNoSlot || segment_of_[slot] != s || seen[slot] != 0) return;
        seen[slot] = 1;
        if (crosses[slot] == 0) node.dead_first.push_back(slot);
        if (kept[slot] == 0) node.dead_final.push_back(slot);
      };
      std::for_each(node.outputs.begin(), node.outputs.end(), last_use);
      std::for_each(node.inputs.begin(), node.inputs.end(), last_use);
    }
  }

  void find_crossings() {
    std::vector<uint8_t> listed(program_.slots, 0);
    for (size_t s = 0; s < program_.segments.size(); ++s) {
      const Segment& reader = program_.segments[s];
      for (size_t n = reader.first; n < reader.last; ++n) {
        for (const Slot slot : program_.nodes[n].inputs) {
          if (slot == kNoSlot || listed[slot] != 0) continue;
          if (segment_of_[slot] == kLeaf || segment_of_[slot] == s) continue;
          listed[slot] = 1;
          program_.segments[segment_of_[slot]].crossings.push_back(slot);
        }
      }
    }
  }

  /// The first node to read is the last to run backward.
  void find_backward_deaths() {
    std::vector<uint8_t> listed(program_.slots, 0);
    for (TapeNode& node : program_.nodes) {
      for_each_read(node, [&](Slot slot) {
        if (listed[slot] == 0 && segment_of_[slot] != kLeaf) node.dead_backward.push_back(slot);
        listed[slot] = 1;
      });
    }
  }

  Tape::Program& program_;
  const std::vector<int64_t>& sizes_;
  std::vector<size_t> segment_of_;  ///< that makes the slot
};

}  // namespace

void plan_memory(Tape::Program& program, const std::vector<int64_t>& sizes, size_t segments) {
  Planner(program, sizes).run(segments);
}

}  // namespace limbeck
