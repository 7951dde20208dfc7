#include "lib/distill/losses/relation_angle.h"

#include "lib/distill/losses/huber.h"
#include "lib/distill/losses/relations.h"
#include "lib/distill/losses/taps.h"

namespace limbeck {
namespace {

constexpr const char* kName = "relation_angle";

/// Adds the coefficients of relation_gradient() for the angle at j between i and k, where the loss
/// has `slope` in its cosine c = u.v / (|u| |v|), u = x_i - x_j, v = x_k - x_j:
///   d c / d u = v / (|u| |v|) - c u / |u|^2, to x_i, and reversed to x_j.
void add_angle(const Geometry& own, size_t i, size_t j, size_t k, double slope,
               std::vector<double>& coefficients) {
  const size_t n = own.count;
  const double u_length = own.distance(i, j);
  const double v_length = own.distance(k, j);
  if (u_length == 0 || v_length == 0 || i == k) return;
  const double along_v = slope / (u_length * v_length);
  const double along_u = -slope * own.cosine(i, j, k) / (u_length * u_length);
  coefficients[i * n + k] += along_v;
  coefficients[i * n + i] += along_u;
  coefficients[i * n + j] -= along_v + along_u;
  coefficients[j * n + k] -= along_v;
  coefficients[j * n + i] -= along_u;
  coefficients[j * n + j] += along_v + along_u;
}

}  // namespace

LossResult relation_angle(const LossInput& input) {
  const RelationPair pair = read_relations(input, kName);
  const size_t n = pair.student.count;
  const double scale =
      1 / (static_cast<double>(input.batch) * static_cast<double>(n) * static_cast<double>(n));
  std::vector<double> coefficients(n * n);
  LossResult result;
  for (size_t j = 0; j < n; ++j) {
    for (size_t i = 0; i < n; ++i) {
      for (size_t k = 0; k < n; ++k) {
        const double difference = pair.student.cosine(i, j, k) - pair.teacher.cosine(i, j, k);
        result.loss += scale * huber(difference);
        // Triples (i, j, k) and (k, j, i) are equal, hence 2.
        add_angle(pair.student, i, j, k, 2 * scale * huber_slope(difference), coefficients);
      }
    }
  }
  result.student = relation_gradient(input, pair.student, coefficients);
  return result;
}

LossTerm make_relation_angle(OptionReader& reader) {
  LossTerm term;
  read_optional_taps(reader, term);
  term.least_samples = 3;
  term.evaluate = relation_angle;
  return term;
}

}  // namespace limbeck
