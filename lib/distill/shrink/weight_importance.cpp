#include <algorithm>
#include <cmath>

#include "lib/distill/shrink/channel_importance.h"
#include "lib/ops/common.h"

namespace limbeck {
namespace {

/// Energies of a channel over the layers that share it, each relative to its layer's mean.
struct Energies {
  double made = 0;
  double read = 0;
  int64_t makers = 0;
  int64_t readers = 0;
};
using EnergyMap = std::map<int32_t, Energies>;

/// Sum of squares over each position of an axis.
void add_squares(const Tensor& tensor, size_t axis, std::vector<double>& sums) {
  const std::vector<float> values = tensor.to_float();
  const auto inner = at(product(tensor.dims(), axis + 1, tensor.rank()));
  for (size_t i = 0; i < values.size(); ++i)
    sums[i / inner % sums.size()] += static_cast<double>(values[i]) * values[i];
}

/// One number a channel that the layer knows, relative to the mean over the positions.
std::map<int32_t, double> by_channel(const ChannelMap& map, const Labels& labels,
                                     const std::vector<double>& sums) {
  double mean = 0;
  for (const double sum : sums) mean += sum / static_cast<double>(sums.size());
  std::map<int32_t, double> energy;
  std::map<int32_t, int64_t> positions;
  for (size_t i = 0; i < labels.size(); ++i) {
    const int32_t root = map.root(labels[i]);
    energy[root] += mean > 0 ? sums[i] / mean : 0;
    ++positions[root];
  }
  for (auto& [root, value] : energy) value /= static_cast<double>(positions[root]);
  return energy;
}

void add_gate(const ChannelMap& map, const ChannelGate& gate, EnergyMap& energies) {
  std::vector<double> sums(gate.labels.size());
  for (const auto& [value, axis] : gate.parameters) add_squares(*value->constant(), axis, sums);
  for (const auto& [root, energy] : by_channel(map, gate.labels, sums)) {
    energies[root].made += energy;
    ++energies[root].makers;
  }
}

void add_reader(const ChannelMap& map, const ChannelReader& reader, EnergyMap& energies) {
  std::vector<double> sums(reader.labels.size());
  add_squares(*reader.weight->constant(), reader.axis, sums);
  for (const auto& [root, energy] : by_channel(map, reader.labels, sums)) {
    energies[root].read += energy;
    ++energies[root].readers;
  }
}

double mean_of(double sum, int64_t count) {
  return count == 0 ? 1 : sum / static_cast<double>(count);
}

}  // namespace

ChannelImportance weight_importance(const ChannelMap& map, const ChannelGroups& groups) {
  EnergyMap energies;
  for (const ChannelGate& gate : map.gates) add_gate(map, gate, energies);
  for (const ChannelReader& reader : map.readers) add_reader(map, reader, energies);
  ChannelImportance importance;
  for (const ChannelGroup& group : groups.groups) {
    for (const int32_t channel : group.channels) {
      const Energies& e = energies[channel];
      importance[channel] = static_cast<double>(e.makers + e.readers) *
                            std::sqrt(mean_of(e.made, e.makers) * mean_of(e.read, e.readers));
    }
  }
  return importance;
}

}  // namespace limbeck
