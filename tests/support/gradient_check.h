// The one numeric checker of gradients: vector-Jacobian products against differences of the
// operator's reference kernel, in double.
#pragma once

#include <string>
#include <vector>

#include "tests/support/run_node.h"

namespace limbeck::test {

/// One call whose inputs of type double are differentiated; other inputs are parameters.
struct GradientCase {
  std::string what;  ///< "groups and dilation"
  NodeCase node;
};

/// Distinct doubles spread evenly over (low, high) in a shuffled order. No two are closer than
/// (high - low) / count, and none is nearer than 0.13 of that to a multiple of the spacing from
/// `low`: away from kinks at low, high, and the middle, and from ties.
Tensor spread(const Dims& dims, unsigned seed, double low = -1, double high = 1);

/// Checks, for a random cotangent v on every output of type double (and for the last output alone):
/// - every wanted gradient against Richardson-extrapolated central differences of <v, f(x)> with
///   steps h and 2h, h = 2^-12: the error is of order h^4 = 4e-15 (truncation) and
///   2^-53 |<v, f>| / h = 5e-13 |<v, f>| (rounding), so that 1e-7 of the largest gradient element
///   plus 1e-11 of sum |v f| is a wide bound;
/// - that nothing is read but what reads() declares;
/// - that asking for one input alone gives the same bits;
/// - the gradient in float against the one in double, to 1e-4 of the largest element.
void check_gradient(const GradientCase& gradient_case);

/// Every case, one table: the families below, one after the other.
const std::vector<GradientCase>& gradient_cases();

using GradientCases = std::vector<GradientCase>;
GradientCases unary_gradient_cases();
GradientCases arithmetic_gradient_cases();
GradientCases movement_gradient_cases();
GradientCases resize_gradient_cases();
GradientCases reduction_gradient_cases();
GradientCases window_gradient_cases();
GradientCases matmul_gradient_cases();
GradientCases normalization_gradient_cases();

}  // namespace limbeck::test
