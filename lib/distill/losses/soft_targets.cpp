#include "lib/distill/losses/soft_targets.h"

#include <cmath>

#include "lib/distill/losses/rows.h"

namespace limbeck {
namespace {
constexpr const char* kName = "soft_targets";
}  // namespace

LossResult soft_targets(const LossInput& input, const SoftTargetsOptions& options) {
  Rows student = read_logits(input.student, kName);
  const Rows teacher = read_logits(input.teacher, kName);
  check_same_rows(student, teacher, kName);
  check_batch(input, student.count, kName);
  const double temperature = options.temperature;
  const auto batch = static_cast<double>(input.batch);
  LossResult result;
  for (size_t i = 0; i < student.count; ++i) {
    const std::vector<double> log_p = log_softmax(teacher.row(i), temperature);
    const std::vector<double> log_q = log_softmax(student.row(i), temperature);
    double divergence = 0;
    for (size_t k = 0; k < student.width; ++k) {
      const double p = std::exp(log_p[k]);
      divergence += p * (log_p[k] - log_q[k]);
      student.row(i)[k] = temperature / batch * (std::exp(log_q[k]) - p);
    }
    result.loss += temperature * temperature / batch * divergence;
  }
  result.student = write_values(input.student, student.values);
  return result;
}

LossTerm make_soft_targets(OptionReader& reader) {
  SoftTargetsOptions options;
  options.temperature = reader.number("temperature", options.temperature, {0.01, 1000});
  LossTerm term;
  term.takes_softmax = true;
  term.evaluate = [options](const LossInput& input) { return soft_targets(input, options); };
  return term;
}

}  // namespace limbeck
