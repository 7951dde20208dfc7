#include "lib/distill/shrink/normalizations.h"

#include <algorithm>
#include <cmath>
#include <span>

#include "lib/autodiff/tape.h"
#include "lib/distill/shrink/channel_moments.h"
#include "lib/distill/shrink/shrink_stream.h"

namespace limbeck {
namespace {

bool is(const Node& node, std::string_view op_type) {
  return node.domain().empty() && node.op_type() == op_type;
}

Tensor vector_of(const std::vector<double>& values) {
  const std::vector<float> floats(values.begin(), values.end());
  return Tensor::from<float>({static_cast<int64_t>(floats.size())}, floats);
}

Node* normalise(Graph& graph, Node* conv) {
  Value* output = conv->output(0);
  const auto channels = static_cast<size_t>(conv->input(1)->constant()->dim(0));
  const auto constant = [&](const char* what, double value) {
    return graph.add_initializer(conv->name() + what,
                                 vector_of(std::vector<double>(channels, value)));
  };
  const std::vector<Value*> inputs = {output, constant(".scale", 1), constant(".shift", 0),
                                      constant(".mean", 0), constant(".variance", 1)};
  const auto place = std::find_if(graph.nodes().begin(), graph.nodes().end(),
                                  [&](const auto& node) { return node.get() == conv; });
  const auto next = std::next(place);
  Node* norm = graph.add_node("BatchNormalization", "", conv->name() + ".norm", inputs,
                              {output->name() + ".norm"},
                              next == graph.nodes().end() ? nullptr : next->get());
  Value* result = norm->output(0);
  result->type = output->type;
  result->shape = output->shape;
  graph.replace_all_uses(output, result);
  // Every reader was redirected, the normalization too.
  graph.set_input(norm, 0, output);
  return norm;
}

/// Scale, shift, mean, variance: the affine map is the identity.
void set_identity(Graph& graph, Node* norm, const ChannelMoments& moments) {
  const double epsilon = norm->float_attribute("epsilon", 1e-5F);
  std::vector<double> scale;
  for (const double variance : moments.variance) {
    const auto stored = static_cast<double>(static_cast<float>(variance));
    scale.push_back(std::sqrt(stored + epsilon));
  }
  graph.set_constant(norm->input(1), vector_of(scale));
  graph.set_constant(norm->input(2), vector_of(moments.mean));
  graph.set_constant(norm->input(3), vector_of(moments.mean));
  graph.set_constant(norm->input(4), vector_of(moments.variance));
}

/// Statistics of several batches as those of all their samples.
struct Pool {
  std::vector<double> sums;
  std::vector<double> squares;
  double count = 0;

  void add(const BatchStatistics& batch) {
    const auto mean = batch.mean.as<float>();
    const auto variance = batch.variance.as<float>();
    sums.resize(mean.size());
    squares.resize(mean.size());
    const auto weight = static_cast<double>(batch.count);
    for (size_t c = 0; c < mean.size(); ++c) {
      const double m = mean[c];
      sums[c] += weight * m;
      squares[c] += weight * (variance[c] + m * m);
    }
    count += weight;
  }
  ChannelMoments moments() const {
    ChannelMoments result;
    for (size_t c = 0; c < sums.size(); ++c) {
      const double mean = sums[c] / count;
      result.mean.push_back(mean);
      result.variance.push_back(std::max(0.0, squares[c] / count - mean * mean));
    }
    return result;
  }
};

using Statistics = std::vector<BatchStatistics>;

std::vector<Pool> pooled_statistics(const Tape& tape, const ShrinkData& data,
                                    std::span<const int64_t> order, const StreamOptions& options) {
  std::vector<Tensor> parameters;
  for (const Parameter& parameter : tape.parameters()) parameters.push_back(parameter.initial);
  std::vector<Pool> pools(tape.batch_norms().size());
  map_samples<Statistics>(
      data.dataset, order, options,
      [&](const Batch& batch) {
        return tape.forward(parameters, named_inputs(tape.input_names(), data.dataset, batch), 0)
            .statistics;
      },
      [&](Statistics& statistics) {
        for (size_t i = 0; i < pools.size(); ++i) pools[i].add(statistics[i]);
      });
  return pools;
}

}  // namespace

std::vector<Node*> insert_normalizations(Graph& graph) {
  std::vector<Node*> convs;
  for (const auto& node : graph.nodes()) {
    if (is(*node, "BatchNormalization")) return {};
    const Value* weight = node->input(1);
    if (is(*node, "Conv") && weight != nullptr && weight->constant() != nullptr &&
        weight->type == DataType::kFloat && !node->output(0)->captured_by_subgraph())
      convs.push_back(node.get());
  }
  std::vector<Node*> norms;
  norms.reserve(convs.size());
  for (Node* conv : convs) norms.push_back(normalise(graph, conv));
  return norms;
}

void unfold_normalizations(Model& model, const ShrinkData& data, int64_t samples) {
  const std::vector<Node*> norms = insert_normalizations(model.graph);
  if (norms.empty()) return;
  std::vector<std::string> convolved;
  convolved.reserve(norms.size());
  for (const Node* norm : norms) convolved.push_back(norm->input(0)->name());
  const auto moments = measure_moments(model, convolved, data, samples);
  for (size_t i = 0; i < norms.size(); ++i) set_identity(model.graph, norms[i], moments[i]);
}

void measure_statistics(Model& model, const ShrinkData& data, int64_t samples) {
  constexpr int64_t kBatch = 16;
  StreamOptions stream = shrink_stream(model, data);
  if (stream.may_split) stream.micro_batch = kBatch;
  if (stream.micro_batch < kBatch) return;
  TrainOptions options;
  options.batch_norm = BatchNormMode::kBatch;
  options.dropout = false;
  const auto tape = Tape::compile(model, options);
  if (tape->batch_norms().empty()) return;
  const auto order = shrink_samples(model, data, samples);
  const auto pools = pooled_statistics(*tape, data, order, stream);
  for (size_t i = 0; i < pools.size(); ++i) {
    const BatchNormSite& site = tape->batch_norms()[i];
    const ChannelMoments moments = pools[i].moments();
    model.graph.set_constant(model.graph.find(site.mean), vector_of(moments.mean));
    model.graph.set_constant(model.graph.find(site.variance), vector_of(moments.variance));
  }
}

}  // namespace limbeck
