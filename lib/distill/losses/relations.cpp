#include "lib/distill/losses/relations.h"

#include <cmath>

#include "lib/base/error.h"

namespace limbeck {

RelationRows read_relation_rows(const LossInput& input, const std::string& loss) {
  RelationRows rows = {read_rows(input.student, loss), read_rows(input.teacher, loss)};
  if (rows.student.count != rows.teacher.count) {
    throw_error(Category::kUsage, "loss '" + loss + "'",
                "student and teacher must have the same samples",
                std::to_string(rows.student.count) + " and " + std::to_string(rows.teacher.count),
                "choose tensors whose first dimension is the batch");
  }
  check_batch(input, rows.student.count, loss);
  return rows;
}

double distance_between(std::span<const double> a, std::span<const double> b) {
  double squares = 0;
  for (size_t k = 0; k < a.size(); ++k) squares += (a[k] - b[k]) * (a[k] - b[k]);
  return std::sqrt(squares);
}

}  // namespace limbeck
