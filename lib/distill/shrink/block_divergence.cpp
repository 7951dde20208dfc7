#include <memory>

#include "lib/distill/shrink/blocks.h"
#include "lib/distill/shrink/shrink_stream.h"
#include "lib/evaluate/scores.h"
#include "lib/evaluate/values.h"

namespace limbeck {
namespace {

/// Sums over samples. Only one of the two ways is used for a model.
struct Change {
  double divergence = 0;
  double noise = 0;
  double signal = 0;

  void add(const Change& other) {
    divergence += other.divergence;
    noise += other.noise;
    signal += other.signal;
  }
  double mean(size_t samples) const {
    if (signal > 0) return noise / signal;
    return divergence / static_cast<double>(samples);
  }
};

Change score_change(const Tensor& teacher, const Tensor& student) {
  const FloatValues reference(teacher);
  const FloatValues changed(student);
  const auto rows = static_cast<size_t>(teacher.dim(0));
  const size_t width = reference.values().size() / rows;
  Change change;
  for (size_t i = 0; i < rows; ++i) {
    const auto row = reference.values().subspan(i * width, width);
    const ScoreKind kind =
        looks_like_probabilities(row) ? ScoreKind::kProbabilities : ScoreKind::kLogits;
    change.divergence +=
        kl_divergence(log_probabilities(row, kind),
                      log_probabilities(changed.values().subspan(i * width, width), kind));
  }
  return change;
}

Change change_of(const std::vector<Tensor>& teacher, const std::vector<Tensor>& student,
                 int64_t rows) {
  if (const auto scores = find_scores(teacher, rows))
    return score_change(teacher[*scores], student[*scores]);
  const FloatValues reference(teacher.front());
  const FloatValues changed(student.front());
  const Distance apart = distance(reference.values(), changed.values());
  return {0, apart.noise, apart.signal};
}

}  // namespace

std::vector<double> block_divergences(const Model& teacher, const Model& model,
                                      const std::vector<ResidualBlock>& blocks,
                                      const ShrinkData& data, int64_t samples) {
  std::vector<std::shared_ptr<const Engine>> owned = {Engine::compile(teacher)};
  for (const ResidualBlock& block : blocks) {
    Model without = copy_model(model);
    bypass_block(without, block);
    owned.push_back(Engine::compile(without));
  }
  std::vector<const Engine*> engines;
  engines.reserve(owned.size());
  for (const auto& engine : owned) engines.push_back(engine.get());
  const std::vector<int64_t> order = shrink_samples(teacher, data, samples);
  std::vector<Change> sums(blocks.size());
  map_batches<std::vector<Change>>(
      engines, data.dataset, order, shrink_stream(teacher, data),
      [](const Batch& batch, const std::vector<std::vector<Tensor>>& outputs) {
        std::vector<Change> changes;
        for (size_t i = 1; i < outputs.size(); ++i) {
          changes.push_back(
              change_of(outputs[0], outputs[i], static_cast<int64_t>(batch.indices.size())));
        }
        return changes;
      },
      [&](std::vector<Change>& changes) {
        for (size_t i = 0; i < sums.size(); ++i) sums[i].add(changes[i]);
      });
  std::vector<double> means;
  means.reserve(sums.size());
  for (const Change& sum : sums) means.push_back(sum.mean(order.size()));
  return means;
}

}  // namespace limbeck
