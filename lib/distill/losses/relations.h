// What the relational losses share. Internal to lib/distill/losses.
#pragma once

#include <string>
#include <vector>

#include "lib/distill/losses/loss.h"
#include "lib/distill/losses/rows.h"

namespace limbeck {

/// The geometry of n vectors: all that the relations depend on.
struct Geometry {
  size_t count = 0;
  Rows centred;                  ///< the vectors without their mean
  std::vector<double> products;  ///< [n, n]: inner products of the centred vectors
  std::vector<double> lengths;   ///< [n, n]: distances; exactly zero where two vectors are equal

  double distance(size_t i, size_t j) const { return lengths[i * count + j]; }
  /// Cosine of the angle at `vertex` between i and k; 0 where one of them coincides with it.
  double cosine(size_t i, size_t vertex, size_t k) const;
};

/// Those of student and teacher, whose vectors may have different lengths. Raises kUsage unless
/// both have the same samples.
struct RelationPair {
  Geometry student;
  Geometry teacher;
};
RelationPair read_relations(const LossInput& input, const std::string& loss);

/// The gradient coefficients * vectors, [n, n] times [n, length]: where a loss moves sample i along
/// the differences of samples, each row sums to zero.
Tensor relation_gradient(const LossInput& input, const Geometry& student,
                         const std::vector<double>& coefficients);

}  // namespace limbeck
