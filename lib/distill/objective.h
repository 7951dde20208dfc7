// What a student is trained for: a weighted sum of losses, read from a recipe.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "lib/distill/losses/loss.h"

namespace limbeck {

/// One shard, rows = samples. Taps by the names in Objective::student_taps and teacher_taps.
struct ObjectiveInput {
  Tensor student_logits;
  Tensor teacher_logits;
  std::map<std::string, Tensor> student_taps;
  std::map<std::string, Tensor> teacher_taps;
  std::span<const Label> labels;
  std::vector<std::vector<Tensor>> weights;  ///< for each term its own; empty where it has none
  int64_t batch = 1;                         ///< samples of the whole batch, over all shards
  double progress = 1;                       ///< share of the run that is done, for `ramp`
};

/// Sums over the shards, in shard order, are the batch's.
struct ObjectiveResult {
  double loss = 0;            ///< weighted sum
  std::vector<double> terms;  ///< each term's loss before its weight
  Tensor student_logits;      ///< gradient; empty when no term reads the logits
  std::map<std::string, Tensor> student_taps;
  std::vector<std::vector<Tensor>> weights;
};

/// Immutable after reading; evaluate() is pure and thread-safe.
class Objective {
 public:
  /// Reads a list such as [{"loss": "soft_targets", "weight": 0.9, "temperature": 4}, ...]. Every
  /// loss has a `weight` (default 1) and a `ramp`, the share of the run over which the weight grows
  /// from zero (default 0). `place` is the list's JSON pointer. Raises kUsage for unknown losses
  /// and options, values out of range, an empty list, and weights that are all zero.
  static Objective read(const nlohmann::json& losses, const std::string& place);

  size_t size() const { return terms_.size(); }
  const std::string& name(size_t term) const { return terms_.at(term).name; }
  bool needs_labels() const;
  /// Whether a term takes the softmax of the logits; of the student's, or of both.
  bool takes_softmax() const;
  bool takes_softmax_of_teacher() const;
  /// Whether a term reads anything of the teacher: without, there is no need to run it.
  bool needs_teacher() const;
  /// Samples that every shard must have for all terms to say something.
  int64_t least_samples() const;
  /// Names of the tensors to tap, sorted, each once.
  std::vector<std::string> student_taps() const;
  std::vector<std::string> teacher_taps() const;

  /// Start values of the trained weights of every term, from the dimensions of the taps (the batch
  /// dimension is not read). Raises kUsage for taps that are missing or do not fit.
  std::vector<std::vector<Tensor>> initial_weights(const std::map<std::string, Dims>& student,
                                                   const std::map<std::string, Dims>& teacher,
                                                   uint64_t seed) const;

  /// Terms are summed in their order. Raises as the losses do, and kInternal for a missing tap.
  ObjectiveResult evaluate(const ObjectiveInput& input) const;

 private:
  struct Term {
    std::string name;
    double weight = 1;
    double ramp = 0;  ///< share of the run over which the weight grows from zero
    LossTerm loss;

    double weight_at(double progress) const {
      return progress < ramp ? weight * progress / ramp : weight;
    }
  };
  static Term read_term(const nlohmann::json& object, const std::string& place);

  std::vector<Term> terms_;
};

}  // namespace limbeck
