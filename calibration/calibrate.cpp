#include <algorithm>
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
  std::vector<std::vector<double>> sums;  ///< of every channel; empty without a channel axis
  int64_t samples = 0;
};

/// Sum of every channel of a [n, c, ...] tensor. Float sums of one plane are short enough to be
/// accurate; planes are added in double.
std::vector<double> channel_sums(const Tensor& tensor) {
  if (tensor.rank() < 2) return {};
  const auto values = tensor.as<float>();
  const auto channels = static_cast<size_t>(tensor.dim(1));
  const auto plane = channels == 0 || tensor.dim(0) == 0
                         ? size_t{0}
                         : values.size() / channels / static_cast<size_t>(tensor.dim(0));
  std::vector<double> sums(channels, 0.0);
  for (size_t start = 0, c = 0; plane > 0 && start < values.size(); start += plane) {
    double sum = 0;
    for (size_t i = start; i < start + plane; ++i) sum += values[i];
    sums[c] += sum;
    c = c + 1 == channels ? 0 : c + 1;
  }
  return sums;
}

Partial sketch_batch(const Batch& batch, const std::vector<Tensor>& outputs, size_t first_tap,
                     const std::vector<std::string>& taps) {
  Partial partial;
  partial.samples = static_cast<int64_t>(batch.indices.size());
  partial.sketches.resize(taps.size());
  for (size_t t = 0; t < taps.size(); ++t)
    partial.sums.push_back(channel_sums(outputs[first_tap + t]));
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
      model_hash, dataset.hash(), static_cast<int64_t>(order.size()), options.seed, {}, {}};
  std::vector<Sketch> sketches(taps.size());
  std::vector<std::vector<double>> sums(taps.size());
  Progress progress("calibrating", table.samples, options.quiet);
  StreamOptions stream;
  stream.threads = options.threads;
  map_batches<Partial>(
      {engine.get()}, dataset, order, stream,
      [&](const Batch& batch, const std::vector<std::vector<Tensor>>& outputs) {
        return sketch_batch(batch, outputs[0], first_tap, taps);
      },
      [&](Partial& partial) {
        for (size_t t = 0; t < taps.size(); ++t) {
          sketches[t].append(partial.sketches[t]);
          auto& total = sums[t];
          total.resize(std::max(total.size(), partial.sums[t].size()), 0.0);
          for (size_t c = 0; c < partial.sums[t].size(); ++c) total[c] += partial.sums[t][c];
        }
        progress.advance(partial.samples);
      });
  for (size_t t = 0; t < taps.size(); ++t) {
    const auto per_channel = static_cast<double>(sketches[t].count()) /
                             static_cast<double>(std::max<size_t>(1, sums[t].size()));
    for (double& sum : sums[t]) sum /= per_channel;
    table.means[taps[t]] = std::move(sums[t]);
    table.tensors[taps[t]] = std::move(sketches[t]);
  }
  return table;
}

}  // namespace limbeck
