// The penalty of the relational losses. Internal to lib/distill/losses.
#pragma once

#include <algorithm>
#include <cmath>

namespace limbeck {

/// Half the square up to one, then linear: Park 2019, section 3.2, l_delta with delta = 1.
inline double huber(double difference) {
  const double size = std::abs(difference);
  return size <= 1 ? 0.5 * difference * difference : size - 0.5;
}
inline double huber_slope(double difference) { return std::clamp(difference, -1.0, 1.0); }

}  // namespace limbeck
