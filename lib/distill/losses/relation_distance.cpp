#include "lib/distill/losses/relation_distance.h"

#include "lib/distill/losses/huber.h"
#include "lib/distill/losses/relations.h"
#include "lib/distill/losses/taps.h"

namespace limbeck {
namespace {

constexpr const char* kName = "relation_distance";

/// Of the distances above zero.
struct DistanceMean {
  double value = 0;
  double count = 0;
};

DistanceMean mean_of(const std::vector<double>& distances) {
  DistanceMean mean;
  double sum = 0;
  for (const double distance : distances) {
    sum += distance;
    if (distance > 0) mean.count += 1;
  }
  if (mean.count > 0) mean.value = sum / mean.count;
  return mean;
}

double relative(double distance, const DistanceMean& mean) {
  return mean.value > 0 ? distance / mean.value : 0;
}

/// Coefficients of relation_gradient() from the slopes of the loss in the relative distances.
std::vector<double> coefficients_of(const Geometry& own, const DistanceMean& mean,
                                    const std::vector<double>& slopes) {
  const size_t n = own.count;
  std::vector<double> result(n * n);
  if (mean.value == 0) return result;
  double through_mean = 0;
  for (size_t at = 0; at < n * n; ++at) through_mean += slopes[at] * own.lengths[at];
  through_mean /= mean.value * mean.value * mean.count;
  for (size_t i = 0; i < n; ++i) {
    for (size_t j = 0; j < n; ++j) {
      const double distance = own.distance(i, j);
      if (distance == 0) continue;
      // Pairs (i, j) and (j, i) are equal, hence 2.
      const double slope = 2 * (slopes[i * n + j] / mean.value - through_mean) / distance;
      result[i * n + i] += slope;
      result[i * n + j] -= slope;
    }
  }
  return result;
}

}  // namespace

LossResult relation_distance(const LossInput& input) {
  const RelationPair pair = read_relations(input, kName);
  const DistanceMean own = mean_of(pair.student.lengths);
  const DistanceMean wanted = mean_of(pair.teacher.lengths);
  const size_t n = pair.student.count;
  const double scale = 1 / (static_cast<double>(input.batch) * static_cast<double>(n));
  std::vector<double> slopes(n * n);
  LossResult result;
  for (size_t at = 0; at < n * n; ++at) {
    const double difference =
        relative(pair.student.lengths[at], own) - relative(pair.teacher.lengths[at], wanted);
    result.loss += scale * huber(difference);
    slopes[at] = scale * huber_slope(difference);
  }
  result.student =
      relation_gradient(input, pair.student, coefficients_of(pair.student, own, slopes));
  return result;
}

LossTerm make_relation_distance(OptionReader& reader) {
  LossTerm term;
  read_optional_taps(reader, term);
  term.least_samples = 2;
  term.evaluate = relation_distance;
  return term;
}

}  // namespace limbeck
