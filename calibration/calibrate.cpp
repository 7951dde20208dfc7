#include <cmath>
#include <utility>

#include "calibration/calibration.h"
#include "lib/base/error.h"
#include "lib/base/progress.h"
#include "lib/engine/stream.h"

namespace limbeck {
namespace {

std::vector<std::string> tensors_to_tap(const Model& model, const CalibrationOptions& options) {
  if (!options.tensors.empty()) return options.tensors;
  std::vector<std::string> taps;
  for (const Value* value : model.graph.values()) {
    if (value->type == DataType::kFloat && value->constant() == nullptr)
      taps.push_back(value->name());
  }
  return taps;
}

[[noreturn]] void throw_not_finite(const std::string& tensor, int64_t sample) {
  throw_error(Category::kData, "tensor '" + tensor + "', sample " + std::to_string(sample),
              "every activation must be finite", "NaN or infinity",
              "check this sample and the preprocessing");
}

/// Sketches of one micro-batch, one a tap, and the samples it held.
struct Partial {
  std::vector<Sketch> sketches;
  int64_t samples = 0;
};

Partial sketch_batch(const Batch& batch, const std::vector<Tensor>& outputs, size_t first_tap,
                     const std::vector<std::string>& taps) {
  Partial partial;
  partial.samples = static_cast<int64_t>(batch.indices.size());
  partial.sketches.resize(taps.size());
  for (size_t t = 0; t < taps.size(); ++t) {
    const auto values = outputs[first_tap + t].as<float>();
    const size_t rows = batch.indices.size();
    // A tensor without a batch axis counts once a micro-batch.
    const bool per_sample = !values.empty() && values.size() % rows == 0;
    const size_t length = per_sample ? values.size() / rows : values.size();
    for (size_t row = 0; row < (per_sample ? rows : 1); ++row) {
      if (!partial.sketches[t].add(values.subspan(row * length, length))) {
        throw_not_finite(taps[t], batch.indices[row]);
      }
    }
  }
  return partial;
}

}  // namespace

CalibrationTable calibrate(const Model& model, const Dataset& dataset,
                           const std::string& model_hash, const CalibrationOptions& options) {
  const std::vector<std::string> taps = tensors_to_tap(model, options);
  EngineOptions engine_options;
  engine_options.taps = taps;
  const auto engine = Engine::compile(model, engine_options);
  const size_t first_tap = engine->output_names().size() - taps.size();
  const auto order = sample_order(dataset.size(), options.samples, options.seed);
  CalibrationTable table{
      model_hash, dataset.hash(), static_cast<int64_t>(order.size()), options.seed, {}};
  std::vector<Sketch> sketches(taps.size());
  Progress progress("calibrating", table.samples, options.quiet);
  StreamOptions stream;
  stream.threads = options.threads;
  map_batches<Partial>(
      {engine.get()}, dataset, order, stream,
      [&](const Batch& batch, const std::vector<std::vector<Tensor>>& outputs) {
        return sketch_batch(batch, outputs[0], first_tap, taps);
      },
      [&](Partial& partial) {
        for (size_t t = 0; t < taps.size(); ++t) sketches[t].append(partial.sketches[t]);
        progress.advance(partial.samples);
      });
  for (size_t t = 0; t < taps.size(); ++t) table.tensors[taps[t]] = std::move(sketches[t]);
  return table;
}

}  // namespace limbeck
