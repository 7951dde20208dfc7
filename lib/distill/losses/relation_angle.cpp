#include "lib/distill/losses/relation_angle.h"

#include <cmath>

#include "lib/distill/losses/huber.h"
#include "lib/distill/losses/relations.h"
#include "lib/distill/losses/taps.h"

namespace limbeck {
namespace {

constexpr const char* kName = "relation_angle";

/// Unit vectors from one sample to all, and the distances.
struct Directions {
  Rows unit;
  std::vector<double> length;
};

Directions directions_from(const Rows& rows, size_t vertex) {
  Directions result = {zero_rows(rows.count, rows.width), std::vector<double>(rows.count)};
  for (size_t i = 0; i < rows.count; ++i) {
    const double length = distance_between(rows.row(i), rows.row(vertex));
    result.length[i] = length;
    for (size_t k = 0; length > 0 && k < rows.width; ++k) {
      result.unit.row(i)[k] = (rows.row(i)[k] - rows.row(vertex)[k]) / length;
    }
  }
  return result;
}

/// Adds the gradient of sample i's unit vector, `outer`, to sample i and, reversed, to the vertex.
void backward(std::span<const double> outer, const Directions& own, size_t i, size_t vertex,
              Rows& gradient) {
  if (own.length[i] == 0) return;
  const auto unit = own.unit.row(i);
  const double along = dot(outer, unit);
  for (size_t k = 0; k < unit.size(); ++k) {
    const double inner = (outer[k] - along * unit[k]) / own.length[i];
    gradient.row(i)[k] += inner;
    gradient.row(vertex)[k] -= inner;
  }
}

/// The loss of all angles at one vertex.
double add_vertex(const RelationRows& rows, size_t vertex, double scale, Rows& gradient) {
  const Directions own = directions_from(rows.student, vertex);
  const Directions wanted = directions_from(rows.teacher, vertex);
  const size_t n = rows.student.count;
  double loss = 0;
  for (size_t i = 0; i < n; ++i) {
    std::vector<double> outer(rows.student.width);
    for (size_t k = 0; k < n; ++k) {
      const double difference =
          dot(own.unit.row(i), own.unit.row(k)) - dot(wanted.unit.row(i), wanted.unit.row(k));
      loss += scale * huber(difference);
      // Triples (i, j, k) and (k, j, i) are equal, hence 2.
      const double slope = 2 * scale * huber_slope(difference);
      const auto other = own.unit.row(k);
      for (size_t c = 0; c < outer.size(); ++c) outer[c] += slope * other[c];
    }
    backward(outer, own, i, vertex, gradient);
  }
  return loss;
}

}  // namespace

LossResult relation_angle(const LossInput& input) {
  const RelationRows rows = read_relation_rows(input, kName);
  const auto n = static_cast<double>(rows.student.count);
  Rows gradient = zero_rows(rows.student.count, rows.student.width);
  LossResult result;
  for (size_t vertex = 0; vertex < rows.student.count; ++vertex) {
    result.loss +=
        add_vertex(rows, vertex, 1 / (static_cast<double>(input.batch) * n * n), gradient);
  }
  result.student = write_values(input.student, gradient.values);
  return result;
}

LossTerm make_relation_angle(OptionReader& reader) {
  LossTerm term;
  read_optional_taps(reader, term);
  term.evaluate = relation_angle;
  return term;
}

}  // namespace limbeck
