#include "lib/distill/losses/logits_cosine.h"

#include <cmath>

#include "lib/distill/losses/rows.h"

namespace limbeck {
namespace {
constexpr const char* kName = "logits_cosine";
}  // namespace

LossResult logits_cosine(const LossInput& input) {
  const Rows student = read_logits(input.student, kName);
  const Rows teacher = read_logits(input.teacher, kName);
  check_same_rows(student, teacher, kName);
  check_batch(input, student.count, kName);
  const auto batch = static_cast<double>(input.batch);
  Rows gradient = zero_rows(student.count, student.width);
  LossResult result;
  for (size_t i = 0; i < student.count; ++i) {
    const auto s = student.row(i);
    const auto t = teacher.row(i);
    const double s_length = std::sqrt(dot(s, s));
    const double t_length = std::sqrt(dot(t, t));
    const bool defined = s_length > 0 && t_length > 0;
    const double cosine = defined ? dot(s, t) / (s_length * t_length) : 0;
    result.loss += (1 - cosine) / batch;
    for (size_t k = 0; defined && k < s.size(); ++k) {
      gradient.row(i)[k] = (cosine * s[k] / s_length - t[k] / t_length) / (s_length * batch);
    }
  }
  result.student = write_values(input.student, gradient.values);
  return result;
}

LossTerm make_logits_cosine(OptionReader& /*reader*/) {
  LossTerm term;
  term.evaluate = logits_cosine;
  return term;
}

}  // namespace limbeck
