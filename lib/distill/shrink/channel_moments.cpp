#include "lib/distill/shrink/channel_moments.h"

#include <algorithm>

#include "lib/distill/shrink/shrink_stream.h"
#include "lib/evaluate/values.h"
#include "lib/ops/common.h"

namespace limbeck {
namespace {

/// Over a part of the samples.
struct Sums {
  std::vector<double> values;
  std::vector<double> squares;
  double count = 0;

  void add(const Sums& other) {
    values.resize(other.values.size());
    squares.resize(other.values.size());
    for (size_t c = 0; c < values.size(); ++c) {
      values[c] += other.values[c];
      squares[c] += other.squares[c];
    }
    count += other.count;
  }
};

Sums sums_of(const Tensor& tensor) {
  const FloatValues values(tensor);
  const auto channels = at(tensor.dim(1));
  const auto inner = at(product(tensor.dims(), 2, tensor.rank()));
  const int64_t count = tensor.count() / tensor.dim(1);
  Sums sums{std::vector<double>(channels), std::vector<double>(channels),
            static_cast<double>(count)};
  for (size_t i = 0; i < values.values().size(); ++i) {
    const double value = values.values()[i];
    sums.values[i / inner % channels] += value;
    sums.squares[i / inner % channels] += value * value;
  }
  return sums;
}

ChannelMoments moments_of(const Sums& sums) {
  ChannelMoments moments;
  for (size_t c = 0; c < sums.values.size(); ++c) {
    const double mean = sums.values[c] / sums.count;
    moments.mean.push_back(mean);
    moments.variance.push_back(std::max(0.0, sums.squares[c] / sums.count - mean * mean));
  }
  return moments;
}

}  // namespace

std::vector<ChannelMoments> measure_moments(const Model& model,
                                            const std::vector<std::string>& values,
                                            const ShrinkData& data, int64_t samples) {
  EngineOptions options;
  options.taps = values;
  const auto engine = Engine::compile(model, options);
  const size_t first = model.graph.outputs().size();
  const std::vector<int64_t> order = shrink_samples(model, data, samples);
  std::vector<Sums> totals(values.size());
  map_batches<std::vector<Sums>>(
      {engine.get()}, data.dataset, order, shrink_stream(model, data),
      [&](const Batch&, const std::vector<std::vector<Tensor>>& outputs) {
        std::vector<Sums> batch;
        for (size_t i = 0; i < values.size(); ++i) batch.push_back(sums_of(outputs[0][first + i]));
        return batch;
      },
      [&](std::vector<Sums>& batch) {
        for (size_t i = 0; i < totals.size(); ++i) totals[i].add(batch[i]);
      });
  std::vector<ChannelMoments> moments;
  moments.reserve(totals.size());
  for (const Sums& total : totals) moments.push_back(moments_of(total));
  return moments;
}

}  // namespace limbeck
