// What LRN and its gradient share. Internal to lib/ops.
#pragma once

#include <algorithm>
#include <utility>

#include "lib/ops/common.h"

namespace limbeck {

struct LrnAttributes {
  int64_t size = 1;
  float alpha = 0;
  float beta = 0;
  float bias = 0;
};

LrnAttributes read_lrn(const Node& node);

/// First and last channel whose squares count for channel `c`.
inline std::pair<int64_t, int64_t> lrn_channels(const LrnAttributes& a, int64_t c,
                                                int64_t channels) {
  return {std::max<int64_t>(0, c - (a.size - 1) / 2),
          std::min(channels - 1, c + std::min(a.size / 2, channels))};
}

}  // namespace limbeck
