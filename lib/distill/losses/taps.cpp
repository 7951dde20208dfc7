#include "lib/distill/losses/taps.h"

#include "lib/base/error.h"

namespace limbeck {

void read_taps(OptionReader& reader, LossTerm& term) {
  term.source = LossSource::kTap;
  term.student_tap = reader.required_text("student");
  term.teacher_tap = reader.required_text("teacher");
}

void read_optional_taps(OptionReader& reader, LossTerm& term) {
  term.student_tap = reader.text("student", "");
  term.teacher_tap = reader.text("teacher", "");
  if (term.student_tap.empty() != term.teacher_tap.empty()) {
    throw_error(Category::kUsage, reader.place(), "student and teacher must be named together",
                term.student_tap.empty() ? "teacher alone" : "student alone",
                "name both tensors, or none for the logits");
  }
  term.source = term.student_tap.empty() ? LossSource::kLogits : LossSource::kTap;
}

}  // namespace limbeck
