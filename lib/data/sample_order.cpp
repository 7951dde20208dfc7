#include <algorithm>
#include <numeric>
#include <utility>

#include "lib/data/dataset.h"

namespace limbeck {
namespace {

/// splitmix64. The standard library's distributions differ between implementations, so both the
/// generator and the draw below are spelt out: a seed names the same samples everywhere.
class SplitMix {
 public:
  explicit SplitMix(uint64_t seed) : state_(seed) {}

  uint64_t next() {
    state_ += 0x9E3779B97F4A7C15U;
    uint64_t mixed = state_;
    mixed = (mixed ^ (mixed >> 30U)) * 0xBF58476D1CE4E5B9U;
    mixed = (mixed ^ (mixed >> 27U)) * 0x94D049BB133111EBU;
    return mixed ^ (mixed >> 31U);
  }

  /// Uniform in [0, bound): draws from the incomplete last interval are repeated.
  uint64_t below(uint64_t bound) {
    const uint64_t limit = UINT64_MAX - UINT64_MAX % bound;
    uint64_t value = next();
    while (value >= limit) value = next();
    return value % bound;
  }

 private:
  uint64_t state_;
};

}  // namespace

std::vector<int64_t> sample_order(int64_t size, int64_t count, uint64_t seed) {
  std::vector<int64_t> order(static_cast<size_t>(std::max<int64_t>(size, 0)));
  std::iota(order.begin(), order.end(), 0);
  const size_t wanted =
      count <= 0 ? order.size() : std::min(order.size(), static_cast<size_t>(count));
  if (seed != 0) {
    // Forward Fisher-Yates: a smaller count is a prefix of a larger one.
    SplitMix random(seed);
    for (size_t i = 0; i < wanted; ++i) {
      std::swap(order[i], order[i + random.below(order.size() - i)]);
    }
  }
  order.resize(wanted);
  return order;
}

}  // namespace limbeck
