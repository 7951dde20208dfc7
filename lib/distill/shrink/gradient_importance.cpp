#include <algorithm>
#include <cmath>
#include <memory>

#include "lib/autodiff/tape.h"
#include "lib/base/error.h"
#include "lib/base/philox.h"
#include "lib/distill/logits.h"
#include "lib/distill/losses/label_cross_entropy.h"
#include "lib/distill/losses/rows.h"
#include "lib/distill/random_purpose.h"
#include "lib/distill/shrink/channel_importance.h"
#include "lib/distill/shrink/shrink_stream.h"
#include "lib/engine/stream.h"
#include "lib/evaluate/values.h"
#include "lib/ops/common.h"

namespace limbeck {
namespace {

/// A gate by the positions of its parameters in the tape, and the place of its channels in the
/// result.
struct TapeGate {
  struct Parameter {
    size_t index;
    size_t axis;
  };
  std::vector<Parameter> parameters;
  std::vector<size_t> places;
};

class Estimator {
 public:
  Estimator(const Model& model, const ChannelMap& map, const ChannelGroups& groups,
            const ShrinkData& data)
      : data_(data), scores_(logits_name(model)) {
    TrainOptions options;
    options.batch_norm = BatchNormMode::kFrozen;
    options.dropout = false;
    options.taps = with_logits({}, model);
    tape_ = Tape::compile(model, options);
    for (const Parameter& parameter : tape_->parameters()) parameters_.push_back(parameter.initial);
    for (const ChannelGroup& group : groups.groups) {
      for (const int32_t channel : group.channels) places_.emplace(channel, places_.size());
    }
    for (const ChannelGate& gate : map.gates) add_gate(map, gate);
  }

  size_t channels() const { return places_.size(); }

  /// s^2 / 2 of every channel for one batch.
  std::vector<double> estimate(const Batch& batch) const {
    Pass pass =
        tape_->forward(parameters_, named_inputs(tape_->input_names(), data_.dataset, batch), 0);
    std::vector<Tensor> gradients(pass.outputs.size());
    const auto& names = tape_->output_names();
    const auto scores =
        static_cast<size_t>(std::find(names.begin(), names.end(), scores_) - names.begin());
    gradients[scores] = score_gradient(pass.outputs[scores], batch);
    const Gradients result = tape_->backward(std::move(pass), gradients);
    std::vector<double> squares(channels());
    for (const TapeGate& gate : gates_) add_square(gate, result.parameters, squares);
    return squares;
  }

  ChannelImportance importance(const std::vector<double>& sums, int64_t samples) const {
    ChannelImportance result;
    for (const auto& [channel, place] : places_)
      result[channel] = sums[place] / static_cast<double>(samples);
    return result;
  }

 private:
  void add_gate(const ChannelMap& map, const ChannelGate& gate) {
    constexpr auto kElsewhere = static_cast<size_t>(-1);
    TapeGate found;
    const auto& known = tape_->parameters();
    for (const ChannelGate::Parameter& made : gate.parameters) {
      const auto parameter = std::find_if(known.begin(), known.end(), [&](const Parameter& each) {
        return each.name == made.value->name();
      });
      if (parameter != known.end())
        found.parameters.push_back({static_cast<size_t>(parameter - known.begin()), made.axis});
    }
    for (const int32_t label : gate.labels) {
      const auto place = places_.find(map.root(label));
      found.places.push_back(place == places_.end() ? kElsewhere : place->second);
    }
    gates_.push_back(std::move(found));
  }

  /// d/dz of -log p(y), summed over the batch, with y drawn from p = softmax(z).
  Tensor score_gradient(const Tensor& scores, const Batch& batch) const {
    const auto samples = static_cast<int64_t>(batch.indices.size());
    if (scores.rank() < 2 || scores.dim(0) != samples || scores.count() / samples < 2) {
      throw_error(Category::kUnsupported, "output '" + scores_ + "'",
                  "importance from gradients needs class scores, [samples, classes]",
                  dims_text(scores.dims()), "use importance=weights");
    }
    const Rows rows = read_logits(scores, "importance=gradients");
    LossInput input;
    input.student = scores;
    std::vector<Label> labels;
    for (size_t i = 0; i < rows.count; ++i)
      labels.push_back({draw_class(rows.row(i), batch.indices[i]), 0, 1});
    input.labels = labels;
    input.batch = samples;
    Tensor mean = label_cross_entropy(input, {}).student;
    std::vector<double> sum = read_values(mean);
    for (double& value : sum) value *= static_cast<double>(samples);
    return write_values(scores, sum);
  }

  int64_t draw_class(std::span<const double> row, int64_t sample) const {
    RandomStream stream(data_.seed, static_cast<uint32_t>(RandomPurpose::kImportance), 0,
                        static_cast<uint64_t>(sample));
    const std::vector<double> log_p = log_softmax(row, 1);
    double left = stream.uniform();
    for (size_t k = 0; k + 1 < log_p.size(); ++k) {
      left -= std::exp(log_p[k]);
      if (left < 0) return static_cast<int64_t>(k);
    }
    return static_cast<int64_t>(log_p.size()) - 1;
  }

  void add_square(const TapeGate& gate, const std::vector<Tensor>& gradients,
                  std::vector<double>& squares) const {
    std::vector<double> sums(squares.size());
    for (const auto& [index, axis] : gate.parameters) {
      const Tensor& value = parameters_[index];
      const FloatValues w(value);
      const FloatValues g(gradients[index]);
      const auto inner = at(product(value.dims(), axis + 1, value.rank()));
      const size_t blocks = w.values().size() / inner;
      for (size_t b = 0; b < blocks; ++b) {
        const size_t place = gate.places[b % gate.places.size()];
        if (place >= sums.size()) continue;
        for (size_t i = b * inner; i < (b + 1) * inner; ++i)
          sums[place] += static_cast<double>(w.values()[i]) * g.values()[i];
      }
    }
    for (size_t i = 0; i < sums.size(); ++i) squares[i] += sums[i] * sums[i] / 2;
  }

  const ShrinkData& data_;
  std::string scores_;
  std::unique_ptr<const Tape> tape_;
  std::vector<Tensor> parameters_;
  std::map<int32_t, size_t> places_;
  std::vector<TapeGate> gates_;
};

}  // namespace

ChannelImportance gradient_importance(const Model& model, const ChannelMap& map,
                                      const ChannelGroups& groups, const ShrinkData& data,
                                      int64_t samples) {
  const Estimator estimator(model, map, groups, data);
  const std::vector<int64_t> order = shrink_samples(model, data, samples);
  StreamOptions options = shrink_stream(model, data);
  if (options.may_split) options.micro_batch = 1;  // the fewer in a batch, the less noise
  std::vector<double> sums(estimator.channels());
  map_samples<std::vector<double>>(
      data.dataset, order, options, [&](const Batch& batch) { return estimator.estimate(batch); },
      [&](std::vector<double>& squares) {
        for (size_t i = 0; i < sums.size(); ++i) sums[i] += squares[i];
      });
  return estimator.importance(sums, static_cast<int64_t>(order.size()));
}

}  // namespace limbeck
