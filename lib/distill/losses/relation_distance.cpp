#include "lib/distill/losses/relation_distance.h"

#include <cmath>

#include "lib/distill/losses/huber.h"
#include "lib/distill/losses/relations.h"
#include "lib/distill/losses/taps.h"

namespace limbeck {
namespace {

constexpr const char* kName = "relation_distance";

struct Distances {
  std::vector<double> values;  ///< [n, n]
  double mean = 0;             ///< of those above zero
  double above_zero = 0;       ///< how many they are
};

Distances distances_of(const Rows& rows) {
  Distances result;
  result.values.resize(rows.count * rows.count);
  double sum = 0;
  for (size_t i = 0; i < rows.count; ++i) {
    for (size_t j = 0; j < rows.count; ++j) {
      const double distance = distance_between(rows.row(i), rows.row(j));
      result.values[i * rows.count + j] = distance;
      sum += distance;
      if (distance > 0) result.above_zero += 1;
    }
  }
  if (result.above_zero > 0) result.mean = sum / result.above_zero;
  return result;
}

double relative(const Distances& distances, size_t at) {
  return distances.mean > 0 ? distances.values[at] / distances.mean : 0;
}

}  // namespace

LossResult relation_distance(const LossInput& input) {
  const RelationRows rows = read_relation_rows(input, kName);
  const size_t n = rows.student.count;
  const Distances own = distances_of(rows.student);
  const Distances wanted = distances_of(rows.teacher);
  const double scale = 1 / (static_cast<double>(input.batch) * static_cast<double>(n));
  std::vector<double> slopes(n * n);
  double through_mean = 0;
  LossResult result;
  for (size_t at = 0; at < n * n; ++at) {
    const double difference = relative(own, at) - relative(wanted, at);
    result.loss += scale * huber(difference);
    slopes[at] = scale * huber_slope(difference);
    through_mean += slopes[at] * own.values[at];
  }
  Rows gradient = zero_rows(n, rows.student.width);
  if (own.mean > 0) through_mean /= own.mean * own.mean * own.above_zero;
  for (size_t i = 0; i < n; ++i) {
    for (size_t j = 0; j < n; ++j) {
      const double distance = own.values[i * n + j];
      if (distance == 0) continue;
      // Pairs (i, j) and (j, i) are equal, hence 2.
      const double slope = 2 * (slopes[i * n + j] / own.mean - through_mean) / distance;
      for (size_t k = 0; k < rows.student.width; ++k) {
        gradient.row(i)[k] += slope * (rows.student.row(i)[k] - rows.student.row(j)[k]);
      }
    }
  }
  result.student = write_values(input.student, gradient.values);
  return result;
}

LossTerm make_relation_distance(OptionReader& reader) {
  LossTerm term;
  read_optional_taps(reader, term);
  term.evaluate = relation_distance;
  return term;
}

}  // namespace limbeck
