#include "lib/distill/shrink/mean_replacement.h"

#include <algorithm>
#include <map>

#include "lib/distill/shrink/channel_moments.h"
#include "lib/evaluate/values.h"
#include "lib/ops/common.h"

namespace limbeck {
namespace {

bool is(const Node& node, std::string_view op_type) {
  return node.domain().empty() && node.op_type() == op_type;
}

/// A layer that reads cut channels.
struct Loser {
  const ChannelReader* reader;
  size_t tap;  ///< of its input
};

/// Conv, and Gemm without factors.
bool has_bias_slot(const Node& node) {
  return is(node, "Conv") || (is(node, "Gemm") && node.float_attribute("alpha", 1) == 1 &&
                              node.float_attribute("beta", 1) == 1);
}

class Loss {
 public:
  Loss(const ChannelMap& map, const std::set<int32_t>& cut) : map_(map), cut_(cut) {}

  bool is_cut(int32_t label) const { return cut_.contains(map_.root(label)); }

  LostMean of(const ChannelReader& reader, const std::vector<double>& means) const {
    const Tensor& weight = *reader.weight->constant();
    const size_t making = 1 - reader.axis;
    const auto inner = at(product(weight.dims(), 2, weight.rank()));
    const auto outputs = at(weight.dim(making));
    const size_t inputs = reader.labels.size();
    const size_t per_group = outputs / (means.size() / inputs);
    const Labels& kept = *map_.find(reader.weight, making);
    const FloatValues values(weight);
    LostMean result{reader.node->name(), {}};
    for (size_t o = 0; o < outputs; ++o) {
      if (is_cut(kept[o])) continue;
      double lost = 0;
      for (size_t p = 0; p < inputs; ++p) {
        if (!is_cut(reader.labels[p])) continue;
        const size_t row = making == 0 ? o * inputs + p : p * outputs + o;
        for (size_t k = 0; k < inner; ++k)
          lost += means[o / per_group * inputs + p] * values.values()[row * inner + k];
      }
      result.lost.push_back(lost);
    }
    return result;
  }

 private:
  const ChannelMap& map_;
  const std::set<int32_t>& cut_;
};

/// The constant with the numbers added; other readers keep the old one.
void add_to_constant(Graph& graph, Node* node, size_t slot, const std::vector<double>& numbers,
                     double sign) {
  const Value* old = node->input(slot);
  const Dims dims =
      old != nullptr ? old->constant()->dims() : Dims{static_cast<int64_t>(numbers.size())};
  std::vector<float> values =
      old != nullptr ? old->constant()->to_float() : std::vector<float>(numbers.size());
  for (size_t i = 0; i < values.size(); ++i)
    values[i] = static_cast<float>(values[i] + sign * numbers[i]);
  const Tensor tensor = Tensor::from<float>(dims, values);
  if (old != nullptr && old->uses().size() == 1) {
    graph.set_constant(node->input(slot), tensor);
  } else {
    const std::string name = old != nullptr ? old->name() + ".own" : node->name() + ".bias";
    graph.set_input(node, slot, graph.add_initializer(name, tensor));
  }
}

Node* sole_normalization(const Node& node) {
  const Value* output = node.output(0);
  if (output->uses().size() != 1 || output->is_graph_output()) return nullptr;
  Node* reader = output->uses().front().node;
  return is(*reader, "BatchNormalization") ? reader : nullptr;
}

}  // namespace

std::vector<LostMean> lost_means(const Model& model, const ChannelMap& map,
                                 const std::set<int32_t>& cut, const ShrinkData& data,
                                 int64_t samples) {
  const Loss loss(map, cut);
  std::vector<std::string> taps;
  std::vector<Loser> losers;
  for (const ChannelReader& reader : map.readers) {
    const bool loses = std::any_of(reader.labels.begin(), reader.labels.end(),
                                   [&](int32_t label) { return loss.is_cut(label); });
    if (!loses || !has_bias_slot(*reader.node)) continue;
    const std::string& input = reader.node->input(0)->name();
    const auto tap = std::find(taps.begin(), taps.end(), input);
    losers.push_back({&reader, static_cast<size_t>(tap - taps.begin())});
    if (tap == taps.end()) taps.push_back(input);
  }
  std::vector<LostMean> result;
  if (losers.empty()) return result;
  const auto moments = measure_moments(model, taps, data, samples);
  for (const Loser& loser : losers)
    result.push_back(loss.of(*loser.reader, moments[loser.tap].mean));
  return result;
}

void restore_means(Model& model, const std::vector<LostMean>& means) {
  std::map<std::string, const LostMean*> by_node;
  for (const LostMean& mean : means) by_node[mean.node] = &mean;
  for (const auto& node : model.graph.nodes()) {
    const auto mean = by_node.find(node->name());
    if (mean == by_node.end()) continue;
    if (Node* norm = sole_normalization(*node)) {
      constexpr size_t kMean = 3;
      add_to_constant(model.graph, norm, kMean, mean->second->lost, -1);
    } else {
      add_to_constant(model.graph, node.get(), 2, mean->second->lost, 1);
    }
  }
}

}  // namespace limbeck
