#include "lib/distill/student.h"

namespace limbeck {
namespace {

struct Pooled {
  std::vector<double> mean;
  std::vector<double> variance;
};

/// The law of total variance over the shards.
Pooled pool(const std::vector<std::vector<BatchStatistics>>& shards, size_t site) {
  Pooled pooled;
  double count = 0;
  for (const auto& shard : shards) {
    const std::vector<float> mean = shard[site].mean.to_float();
    const std::vector<float> variance = shard[site].variance.to_float();
    const auto n = static_cast<double>(shard[site].count);
    pooled.mean.resize(mean.size(), 0);
    pooled.variance.resize(mean.size(), 0);
    const double share = n / (count + n);
    for (size_t c = 0; c < mean.size(); ++c) {
      // Chan, Golub, LeVeque 1979: stable where the mean is large.
      const double difference = mean[c] - pooled.mean[c];
      pooled.variance[c] += share * (variance[c] - pooled.variance[c]) +
                            share * (1 - share) * difference * difference;
      pooled.mean[c] += share * difference;
    }
    count += n;
  }
  const double correction = count > 1 ? count / (count - 1) : 1;
  for (double& variance : pooled.variance) variance *= correction;
  return pooled;
}

void move_towards(Tensor& running, const std::vector<double>& target, double momentum) {
  const auto values = running.mutable_as<float>();
  for (size_t c = 0; c < values.size(); ++c)
    values[c] = static_cast<float>(momentum * values[c] + (1 - momentum) * target[c]);
}

}  // namespace

void update_statistics(const std::vector<BatchNormSite>& sites,
                       const std::vector<std::vector<BatchStatistics>>& shards,
                       std::span<Tensor> running) {
  for (size_t i = 0; i < sites.size(); ++i) {
    const Pooled pooled = pool(shards, i);
    move_towards(running[2 * i], pooled.mean, sites[i].momentum);
    move_towards(running[2 * i + 1], pooled.variance, sites[i].momentum);
  }
}

}  // namespace limbeck
