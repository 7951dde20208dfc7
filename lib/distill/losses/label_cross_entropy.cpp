#include "lib/distill/losses/label_cross_entropy.h"

#include <cmath>

#include "lib/distill/losses/rows.h"

namespace limbeck {
namespace {

constexpr const char* kName = "label_cross_entropy";

std::vector<double> target_of(const Label& label, size_t classes, double smoothing) {
  std::vector<double> target(classes, smoothing / static_cast<double>(classes));
  target[static_cast<size_t>(label.label)] += (1 - smoothing) * label.share;
  if (label.share < 1) {
    target[static_cast<size_t>(label.other)] += (1 - smoothing) * (1 - label.share);
  }
  return target;
}

}  // namespace

LossResult label_cross_entropy(const LossInput& input, const LabelCrossEntropyOptions& options) {
  Rows logits = read_logits(input.student, kName);
  check_labels(input.labels, logits, kName);
  check_batch(input, logits.count, kName);
  const auto batch = static_cast<double>(input.batch);
  LossResult result;
  for (size_t i = 0; i < logits.count; ++i) {
    const std::vector<double> log_p = log_softmax(logits.row(i), 1);
    const std::vector<double> target = target_of(input.labels[i], logits.width, options.smoothing);
    double loss = 0;
    for (size_t k = 0; k < logits.width; ++k) {
      // A class without weight costs nothing, however unlikely it is.
      if (target[k] > 0) loss -= target[k] * log_p[k];
      logits.row(i)[k] = (std::exp(log_p[k]) - target[k]) / batch;
    }
    result.loss += loss / batch;
  }
  result.student = write_values(input.student, logits.values);
  return result;
}

LossTerm make_label_cross_entropy(OptionReader& reader) {
  LabelCrossEntropyOptions options;
  options.smoothing = reader.number("smoothing", options.smoothing, {0, 1});
  LossTerm term;
  term.takes_softmax = true;
  term.needs_labels = true;
  term.needs_teacher = false;
  term.evaluate = [options](const LossInput& input) { return label_cross_entropy(input, options); };
  return term;
}

}  // namespace limbeck
