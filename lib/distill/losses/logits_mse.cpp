#include "lib/distill/losses/logits_mse.h"

#include "lib/distill/losses/rows.h"

namespace limbeck {
namespace {
constexpr const char* kName = "logits_mse";
}  // namespace

LossResult logits_mse(const LossInput& input) {
  Rows student = read_logits(input.student, kName);
  const Rows teacher = read_logits(input.teacher, kName);
  check_same_rows(student, teacher, kName);
  check_batch(input, student.count, kName);
  const double scale = 1 / (static_cast<double>(input.batch) * static_cast<double>(student.width));
  LossResult result;
  for (size_t i = 0; i < student.count; ++i) {
    double squares = 0;
    for (size_t k = 0; k < student.width; ++k) {
      const double difference = student.row(i)[k] - teacher.row(i)[k];
      squares += difference * difference;
      student.row(i)[k] = 2 * scale * difference;
    }
    result.loss += scale * squares;
  }
  result.student = write_values(input.student, student.values);
  return result;
}

LossTerm make_logits_mse(OptionReader& /*reader*/) {
  LossTerm term;
  term.evaluate = logits_mse;
  return term;
}

}  // namespace limbeck
