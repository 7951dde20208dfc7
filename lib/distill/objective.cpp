#include "lib/distill/objective.h"

#include <algorithm>
#include <set>

#include "lib/base/error.h"
#include "lib/base/format.h"
#include "lib/base/option_reader.h"
#include "lib/distill/losses/table.h"

namespace limbeck {
namespace {

constexpr double kLargestWeight = 1e6;

const LossRow& find_loss(const std::string& name, const std::string& place) {
  std::vector<std::string> known;
  for (const LossRow& row : loss_table()) {
    if (row.name == name) return row;
    known.emplace_back(row.name);
  }
  throw_error(Category::kUsage, place + "/loss", "the loss must exist", name,
              "use one of " + joined_names(known));
}

template <typename Value>
const Value& tap_of(const std::map<std::string, Value>& taps, const std::string& name,
                    Category category) {
  const auto found = taps.find(name);
  if (found != taps.end()) return found->second;
  throw_error(category, "tap '" + name + "'", "the tensor must exist in the model", "none",
              "limbeck inspect lists the model's tensors");
}

template <typename T>
void scale_values(Tensor& tensor, double factor) {
  for (T& value : tensor.mutable_as<T>()) value = static_cast<T>(value * factor);
}

template <typename T>
void add_values(Tensor& sum, const Tensor& tensor) {
  const auto from = tensor.as<T>();
  const auto to = sum.mutable_as<T>();
  for (size_t i = 0; i < to.size(); ++i) to[i] += from[i];
}

/// Gradients are fresh and owned here alone.
void scale(Tensor& tensor, double factor) {
  if (tensor.type() == DataType::kDouble) {
    scale_values<double>(tensor, factor);
  } else {
    scale_values<float>(tensor, factor);
  }
}

void add_to(Tensor& sum, Tensor tensor) {
  if (sum.empty()) {
    sum = std::move(tensor);
  } else if (sum.type() == DataType::kDouble) {
    add_values<double>(sum, tensor);
  } else {
    add_values<float>(sum, tensor);
  }
}

template <typename Terms, typename Name>
std::vector<std::string> tap_names(const Terms& terms, Name name) {
  std::set<std::string> names;
  for (const auto& term : terms) {
    if (term.loss.source == LossSource::kTap) names.insert(term.loss.*name);
  }
  return {names.begin(), names.end()};
}

}  // namespace

Objective Objective::read(const nlohmann::json& losses, const std::string& place) {
  if (!losses.is_array() || losses.empty()) {
    throw_error(Category::kUsage, place, "the losses must be a list with at least one loss",
                losses.dump(), R"(write for example [{"loss": "soft_targets", "weight": 1}])");
  }
  Objective objective;
  double sum = 0;
  for (size_t i = 0; i < losses.size(); ++i) {
    objective.terms_.push_back(read_term(losses[i], place + "/" + std::to_string(i)));
    sum += objective.terms_.back().weight;
  }
  if (sum == 0) {
    throw_error(Category::kUsage, place, "one weight at least must be above zero",
                "weights that are all 0", "raise one of them");
  }
  return objective;
}

Objective::Term Objective::read_term(const nlohmann::json& object, const std::string& place) {
  OptionReader reader(object, place);
  Term term;
  term.name = reader.required_text("loss");
  term.weight = reader.number("weight", 1, {0, kLargestWeight});
  term.ramp = reader.number("ramp", 0, {0, 1});
  term.loss = find_loss(term.name, place).make(reader);
  reader.finish();
  return term;
}

bool Objective::needs_labels() const {
  return std::any_of(terms_.begin(), terms_.end(),
                     [](const Term& term) { return term.loss.needs_labels; });
}

int64_t Objective::least_samples() const {
  int64_t least = 1;
  for (const Term& term : terms_) least = std::max(least, term.loss.least_samples);
  return least;
}

bool Objective::takes_softmax() const {
  return std::any_of(terms_.begin(), terms_.end(),
                     [](const Term& term) { return term.loss.takes_softmax; });
}

bool Objective::takes_softmax_of_teacher() const {
  return std::any_of(terms_.begin(), terms_.end(), [](const Term& term) {
    return term.loss.takes_softmax && term.loss.needs_teacher;
  });
}

bool Objective::needs_teacher() const {
  return std::any_of(terms_.begin(), terms_.end(),
                     [](const Term& term) { return term.loss.needs_teacher; });
}

std::vector<std::string> Objective::student_taps() const {
  return tap_names(terms_, &LossTerm::student_tap);
}

std::vector<std::string> Objective::teacher_taps() const {
  return tap_names(terms_, &LossTerm::teacher_tap);
}

std::vector<std::vector<Tensor>> Objective::initial_weights(
    const std::map<std::string, Dims>& student, const std::map<std::string, Dims>& teacher,
    uint64_t seed) const {
  std::vector<std::vector<Tensor>> weights;
  for (size_t i = 0; i < terms_.size(); ++i) {
    const LossTerm& loss = terms_[i].loss;
    weights.emplace_back();
    if (!loss.initial_weights) continue;
    const Dims& from = tap_of(student, loss.student_tap, Category::kUsage);
    const Dims& to = tap_of(teacher, loss.teacher_tap, Category::kUsage);
    // Each term its own seed: two adapters of the same shape must not start alike.
    weights.back() = loss.initial_weights(from, to, seed + i);
  }
  return weights;
}

ObjectiveResult Objective::evaluate(const ObjectiveInput& input) const {
  ObjectiveResult result;
  for (size_t i = 0; i < terms_.size(); ++i) {
    const Term& term = terms_[i];
    const bool tapped = term.loss.source == LossSource::kTap;
    LossInput shard;
    shard.student = tapped ? tap_of(input.student_taps, term.loss.student_tap, Category::kInternal)
                           : input.student_logits;
    if (term.loss.needs_teacher) {
      shard.teacher = tapped
                          ? tap_of(input.teacher_taps, term.loss.teacher_tap, Category::kInternal)
                          : input.teacher_logits;
    }
    shard.labels = input.labels;
    if (i < input.weights.size()) shard.weights = input.weights[i];
    shard.batch = input.batch;
    LossResult loss = term.loss.evaluate(shard);
    result.terms.push_back(loss.loss);
    const double weight = term.weight_at(input.progress);
    result.loss += weight * loss.loss;
    scale(loss.student, weight);
    for (Tensor& gradient : loss.weights) scale(gradient, weight);
    add_to(tapped ? result.student_taps[term.loss.student_tap] : result.student_logits,
           std::move(loss.student));
    result.weights.push_back(std::move(loss.weights));
  }
  return result;
}

}  // namespace limbeck
