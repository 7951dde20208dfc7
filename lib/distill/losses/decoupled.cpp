#include "lib/distill/losses/decoupled.h"

#include <cmath>

#include "lib/base/error.h"
#include "lib/distill/losses/rows.h"

namespace limbeck {
namespace {

constexpr const char* kName = "decoupled";

/// Log-probabilities of one row, split at the label.
struct Split {
  double log_label = 0;            ///< log p_label
  double log_rest = 0;             ///< log (1 - p_label), exact also where p_label is nearly one
  std::vector<double> log_others;  ///< log o_k; the label's entry is unused
};

Split split_at(std::span<const double> row, size_t label, double temperature) {
  std::vector<double> others(row.begin(), row.end());
  others.erase(others.begin() + static_cast<std::ptrdiff_t>(label));
  const std::vector<double> log_p = log_softmax(row, temperature);
  Split split;
  split.log_others = log_softmax(others, temperature);
  split.log_others.insert(split.log_others.begin() + static_cast<std::ptrdiff_t>(label), 0.0);
  split.log_label = log_p[label];
  // p_k = (1 - p_label) o_k for any k but the label.
  const size_t any = label == 0 ? 1 : 0;
  split.log_rest = log_p[any] - split.log_others[any];
  return split;
}

/// Adds scale * loss and its gradient for one row and one label.
double add_row(std::span<const double> student, std::span<const double> teacher, size_t label,
               const DecoupledOptions& options, double scale, std::span<double> gradient) {
  const double temperature = options.temperature;
  const Split s = split_at(student, label, temperature);
  const Split t = split_at(teacher, label, temperature);
  const double p = std::exp(s.log_label);
  const double wanted = std::exp(t.log_label);
  const double target =
      wanted * (t.log_label - s.log_label) + std::exp(t.log_rest) * (t.log_rest - s.log_rest);
  double others = 0;
  for (size_t k = 0; k < student.size(); ++k) {
    if (k == label) {
      gradient[k] += scale * temperature * options.alpha * (p - wanted);
      continue;
    }
    const double o = std::exp(s.log_others[k]);
    const double o_wanted = std::exp(t.log_others[k]);
    others += o_wanted * (t.log_others[k] - s.log_others[k]);
    gradient[k] +=
        scale * temperature * (options.alpha * (wanted - p) * o + options.beta * (o - o_wanted));
  }
  return scale * temperature * temperature * (options.alpha * target + options.beta * others);
}

}  // namespace

LossResult decoupled(const LossInput& input, const DecoupledOptions& options) {
  const Rows student = read_logits(input.student, kName);
  const Rows teacher = read_logits(input.teacher, kName);
  check_same_rows(student, teacher, kName);
  check_labels(input.labels, student, kName);
  check_batch(input, student.count, kName);
  if (student.width < 2) {
    throw_error(Category::kUsage, "loss 'decoupled'", "there must be at least two classes", "1",
                "use another loss");
  }
  Rows gradient = zero_rows(student.count, student.width);
  LossResult result;
  for (size_t i = 0; i < student.count; ++i) {
    const Label& label = input.labels[i];
    const auto add = [&](int64_t at, double share) {
      return add_row(student.row(i), teacher.row(i), static_cast<size_t>(at), options,
                     share / static_cast<double>(input.batch), gradient.row(i));
    };
    double loss = add(label.label, label.share);
    if (label.share < 1) loss += add(label.other, 1 - label.share);
    result.loss += loss;
  }
  result.student = write_values(input.student, gradient.values);
  return result;
}

LossTerm make_decoupled(OptionReader& reader) {
  DecoupledOptions options;
  options.alpha = reader.number("alpha", options.alpha, {0, 1000});
  options.beta = reader.number("beta", options.beta, {0, 1000});
  options.temperature = reader.number("temperature", options.temperature, {0.01, 1000});
  LossTerm term;
  term.takes_softmax = true;
  term.needs_labels = true;
  term.evaluate = [options](const LossInput& input) { return decoupled(input, options); };
  return term;
}

}  // namespace limbeck
