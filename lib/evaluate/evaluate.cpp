#include "lib/evaluate/evaluate.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>

#include "lib/base/error.h"
#include "lib/base/progress.h"
#include "lib/engine/stream.h"
#include "lib/evaluate/layers.h"
#include "lib/evaluate/metric_command.h"
#include "lib/evaluate/totals.h"
#include "lib/evaluate/values.h"

namespace limbeck {
namespace {

constexpr int64_t kMicroBatch = 8;

/// That of the model or of its reference (may be null); 0 when both take any.
int64_t fixed_batch_of(const Model& model, const Model* reference) {
  const int64_t own = fixed_batch(model);
  return own > 0 || reference == nullptr ? own : fixed_batch(*reference);
}

int64_t micro_batch_for(int64_t fixed, size_t samples) {
  if (fixed == 0) return kMicroBatch;
  const auto count = static_cast<int64_t>(samples);
  if (count % fixed == 0) return fixed;
  const int64_t whole = count - count % fixed;
  throw_error(Category::kData, "model",
              "it takes batches of exactly " + std::to_string(fixed) +
                  " samples, so their number must be a multiple of that",
              std::to_string(count) + " samples",
              (whole > 0 ? "use " + std::to_string(whole) +
                               " samples (evaluate --samples, quantize --eval-samples), or "
                         : "") +
                  "export the model with a free batch size");
}

/// The sample of element `position`: outputs have the samples along the first axis, or belong to
/// the whole batch.
int64_t sample_of(const Batch& batch, const Tensor& output, size_t position) {
  const size_t rows = batch.indices.size();
  if (output.rank() == 0 || output.dim(0) != static_cast<int64_t>(rows)) return batch.indices[0];
  return batch.indices[position / (static_cast<size_t>(output.count()) / rows)];
}

/// `whose` is "model" or "reference".
void check_finite(const Batch& batch, std::span<const Tensor> outputs,
                  const std::vector<std::string>& names, const std::string& whose) {
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (!holds_fractions(outputs[i].type())) continue;
    const FloatValues numbers(outputs[i]);
    const auto values = numbers.values();
    const auto found = std::find_if_not(values.begin(), values.end(),
                                        [](float value) { return std::isfinite(value); });
    if (found == values.end()) continue;
    const auto position = static_cast<size_t>(found - values.begin());
    throw_error(Category::kData,
                "output '" + names[i] + "' of the " + whose + ", sample " +
                    std::to_string(sample_of(batch, outputs[i], position)),
                "every output must be finite", std::isnan(*found) ? "NaN" : "infinity",
                "check this sample and the preprocessing in the data set's description");
  }
}

/// What one model answers on one micro-batch.
struct Answer {
  BatchScores scores;
  std::string message;  ///< for the metric command; empty without one
};

struct Partial {
  int64_t samples = 0;
  Answer model;
  Answer reference;
  BatchDistance distance;
};

/// The totals of one model, and its run of the metric command.
class Side {
 public:
  Side(const Model& model, std::string whose, const EvaluateOptions& options)
      : whose_(std::move(whose)), engine_(Engine::compile(model)) {
    if (options.metric_command.empty()) return;
    command_ = std::make_unique<MetricCommand>(options.metric_command, options.metric_patience);
  }
  const Engine& engine() const { return *engine_; }
  const ScoreTotals& totals() const { return totals_; }

  /// Thread-safe.
  Answer look_at(const Batch& batch, const std::vector<Tensor>& outputs) const {
    check_finite(batch, outputs, engine_->output_names(), whose_);
    Answer answer;
    answer.scores = score_batch(batch, outputs);
    if (command_) answer.message = metric_message(batch, outputs, engine_->output_names());
    return answer;
  }
  void add(Answer& answer, int64_t samples) {
    totals_.add(answer.scores, samples);
    if (command_) command_->send(answer.message);
  }
  Metrics finish() {
    Metrics metrics = totals_.metrics();
    if (totals_.has_scores()) metrics.scores = engine_->output_names()[totals_.scores_output()];
    if (command_) metrics.user = command_->answer();
    return metrics;
  }

 private:
  std::string whose_;
  std::shared_ptr<const Engine> engine_;
  std::unique_ptr<MetricCommand> command_;
  ScoreTotals totals_;
};

void check_outputs(const Engine& model, const Engine& reference) {
  const size_t count = model.output_names().size();
  const size_t wanted = reference.output_names().size();
  if (count == wanted) return;
  throw_error(
      Category::kData, "model",
      "the model and its reference must have equally many outputs, here " + std::to_string(wanted),
      std::to_string(count), "compare the model with the one it was made from");
}

/// One pass over the data set; `reference` may be null.
void stream(Side& model, Side* reference, DistanceTotals* distances, const Dataset& dataset,
            std::span<const int64_t> order, const StreamOptions& options) {
  std::vector<const Engine*> engines = {&model.engine()};
  if (reference != nullptr) engines.push_back(&reference->engine());
  Progress progress(options.label, static_cast<int64_t>(order.size()), options.quiet);
  map_batches<Partial>(
      engines, dataset, order, options,
      [&](const Batch& batch, const std::vector<std::vector<Tensor>>& outputs) {
        Partial partial;
        partial.samples = static_cast<int64_t>(batch.indices.size());
        partial.model = model.look_at(batch, outputs[0]);
        if (reference == nullptr) return partial;
        partial.reference = reference->look_at(batch, outputs[1]);
        partial.distance =
            compare_batch(batch, outputs[0], outputs[1], model.engine().output_names());
        return partial;
      },
      [&](Partial& partial) {
        model.add(partial.model, partial.samples);
        if (reference != nullptr) {
          reference->add(partial.reference, partial.samples);
          distances->add(partial.distance, partial.samples);
        }
        progress.advance(partial.samples);
      });
}

std::vector<int64_t> order_of(const Dataset& dataset, const EvaluateOptions& options) {
  if (!options.indices.empty()) return options.indices;
  return sample_order(dataset.size(), options.samples, options.seed);
}

}  // namespace

Evaluation evaluate(const Model& model, const Model* reference, const Dataset& dataset,
                    const EvaluateOptions& options) {
  const std::vector<int64_t> order = order_of(dataset, options);
  StreamOptions stream_options;
  const int64_t fixed = fixed_batch_of(model, reference);
  stream_options.micro_batch = micro_batch_for(fixed, order.size());
  stream_options.may_split = fixed == 0;
  stream_options.threads = options.threads;
  stream_options.label = "evaluating";
  stream_options.quiet = options.quiet;
  Side model_side(model, "model", options);
  std::unique_ptr<Side> reference_side;
  if (reference != nullptr) {
    reference_side = std::make_unique<Side>(*reference, "reference", options);
    check_outputs(model_side.engine(), reference_side->engine());
  }
  DistanceTotals distances;
  stream(model_side, reference_side.get(), &distances, dataset, order, stream_options);
  if (model_side.totals().has_scores())
    check_folders(dataset.numbered_folders(), model_side.totals().classes());
  Evaluation result;
  result.metrics = model_side.finish();
  result.integer_mac_share = model_side.engine().integer_mac_share();
  result.records = model_side.totals().records();
  if (reference == nullptr) return result;
  result.reference = reference_side->finish();
  result.reference_records = reference_side->totals().records();
  distances.fill(model_side.totals(), reference_side->totals(), &result.metrics);
  const auto layer_samples = std::min(order.size(), static_cast<size_t>(options.layer_samples));
  // Every compared value of a micro-batch exists at once, twice: one sample bounds the memory.
  result.layers = compare_layers(model, *reference, dataset, std::span(order).first(layer_samples),
                                 options, fixed > 0 ? stream_options.micro_batch : 1);
  return result;
}

}  // namespace limbeck
