// The largest of many differences.
#pragma once

#include <cmath>

namespace limbeck::test {

/// The larger one, and NaN from the first NaN on: std::max would pass over it, and a check against
/// a bound would hold.
template <typename T>
T worse(T worst, T difference) {
  return std::isnan(worst) || difference <= worst ? worst : difference;
}

}  // namespace limbeck::test
