#include <algorithm>
#include <set>

#include "lib/base/format.h"
#include "lib/evaluate/evaluation_json.h"
#include "lib/evaluate/metrics_json.h"

namespace limbeck {
namespace {

constexpr size_t kLayersShown = 10;
constexpr int kNameWidth = 12;
constexpr int kNumberWidth = 12;

/// Small figures (KL, loss) keep their digits.
std::string significant(double value) { return compact(value, 4); }

std::string right(const std::string& text, int width) {
  const auto wanted = static_cast<size_t>(width);
  return text.size() >= wanted ? text : std::string(wanted - text.size(), ' ') + text;
}

std::string left(const std::string& text, int width) {
  const auto wanted = static_cast<size_t>(width);
  return text.size() >= wanted ? text : text + std::string(wanted - text.size(), ' ');
}

using Figure = std::optional<double>;
using Format = std::string (*)(double);

std::string percent(double value) { return fixed(value, 2) + " %"; }
std::string decibels(double value) { return fixed(value, 2) + " dB"; }
std::string six_digits(double value) { return fixed(value, 6); }

std::string cell(const Figure& value, Format format) {
  return right(value ? format(*value) : "", kNumberWidth);
}

/// A line of the table; nothing where neither model has the figure.
class Table {
 public:
  explicit Table(const Metrics* reference) : reference_(reference) {}

  void row(const std::string& name, const Figure& model, const Figure& reference, Format format,
           const std::optional<Interval>& interval = {}) {
    if (!model && !reference) return;
    text += left(name, kNameWidth) + " " + cell(model, format);
    if (reference_ != nullptr) text += " " + cell(reference, format);
    if (interval) {
      text += "   95 % interval " + fixed(interval->low, 2) + " to " + fixed(interval->high, 2);
    }
    while (text.back() == ' ') text.pop_back();
    text += "\n";
  }

  std::string text;

 private:
  const Metrics* reference_;
};

void user_rows(const Metrics& metrics, const Metrics& reference, Table* table) {
  std::set<std::string> names;
  for (const auto& entry : metrics.user) names.insert(entry.first);
  for (const auto& entry : reference.user) names.insert(entry.first);
  const auto find = [](const Metrics& from, const std::string& name) -> Figure {
    const auto found = from.user.find(name);
    return found == from.user.end() ? Figure{} : Figure{found->second};
  };
  for (const std::string& name : names) {
    table->row(printable(name), find(metrics, name), find(reference, name), significant);
  }
}

std::string figures(const Evaluation& evaluation) {
  const Metrics& metrics = evaluation.metrics;
  const Metrics none;
  const Metrics& reference = evaluation.reference ? *evaluation.reference : none;
  Table table(evaluation.reference ? &reference : nullptr);
  table.text = left("", kNameWidth) + " " + right("model", kNumberWidth);
  if (evaluation.reference) table.text += " " + right("reference", kNumberWidth);
  table.text += "\n";
  table.row("top-1", metrics.top1, reference.top1, percent, metrics.top1_interval);
  table.row("top-5", metrics.top5, reference.top5, percent);
  table.row("loss", metrics.loss, reference.loss, significant);
  table.row("agreement", metrics.agreement, {}, percent, metrics.agreement_interval);
  table.row("SQNR", metrics.sqnr_db, {}, decibels);
  table.row("cosine", metrics.cosine, {}, six_digits);
  table.row("KL", metrics.kl, {}, significant);
  user_rows(metrics, reference, &table);
  return table.text;
}

std::string verdict(const Evaluation& evaluation) {
  const auto paired = paired_with_reference(evaluation);
  if (!paired) return "";
  if (paired->only_a_correct + paired->only_b_correct == 0)
    return "\ntop-1 is the same: every sample is right or wrong in both\n";
  return "\ntop-1 changes by " + fixed(paired->difference, 2) + " points (95 % interval " +
         fixed(paired->interval.low, 2) + " to " + fixed(paired->interval.high, 2) +
         "), exact McNemar p = " + significant(paired->p_value) +
         (paired->significant ? ": the difference is significant\n"
                              : ": the difference is noise\n");
}

std::string worst_layers(std::vector<LayerError> layers) {
  if (layers.empty()) return "";
  std::stable_sort(layers.begin(), layers.end(),
                   [](const LayerError& a, const LayerError& b) { return a.sqnr_db < b.sqnr_db; });
  const size_t shown = std::min(layers.size(), kLayersShown);
  std::string text = "\nlayers of least SQNR (" + std::to_string(shown) + " of " +
                     std::to_string(layers.size()) + ")\n";
  for (size_t i = 0; i < shown; ++i) {
    text += right(decibels(layers[i].sqnr_db), kNumberWidth) + "  cosine " +
            six_digits(layers[i].cosine) + "  " + left(printable(layers[i].op_type), kNameWidth) +
            " " + printable(layers[i].tensor) + "\n";
  }
  return text;
}

}  // namespace

std::string evaluation_text(const Evaluation& evaluation, const EvaluationSubject& subject) {
  std::string text = left("model", kNameWidth) + " " + printable(subject.model) + "\n";
  if (!subject.reference.empty()) {
    text += left("reference", kNameWidth) + " " + printable(subject.reference) + "\n";
  }
  text += left("samples", kNameWidth) + " " + std::to_string(evaluation.metrics.samples) + "\n";
  if (!evaluation.metrics.scores.empty()) {
    text += left("scores", kNameWidth) + " output " + printable(evaluation.metrics.scores) + "\n";
  }
  return text + "\n" + figures(evaluation) + verdict(evaluation) + worst_layers(evaluation.layers);
}

}  // namespace limbeck
